//! What must happen in Redis in one step.
//!
//! Lua counts in floating point, so amounts are added by Redis itself, exactly; Lua only compares
//! them. A comparison of more than 9,000 dollars may be wrong by some pico-dollars.

use std::sync::LazyLock;

use deadpool_redis::redis::Script;

/// Keys of all scripts: the account, its reservations by id, the ends of ids, the ids that were
/// held when the account was opened, the rate's buckets. The account lives as long as it is asked
/// for, and a month and some days beyond. An id that has an end and no reservation is settled: a
/// claim that arrives after its settlement, from a connection that was given up, reserves nothing.
const SHARED: &str = r"
    local LIVES = 3110400000
    local function is_open() return redis.call('HEXISTS', KEYS[1], 'day') == 1 end
    local function forget()
        redis.call('HDEL', KEYS[1], 'day')
        redis.call('HINCRBY', KEYS[1], 'epoch', '1')
        redis.call('PEXPIRE', KEYS[1], LIVES)
    end
    local function unknown() return {'unknown', redis.call('HGET', KEYS[1], 'epoch') or '0'} end
    local function turn_to(day, month)
        if not is_open() then return end
        if redis.call('HGET', KEYS[1], 'day') < day then
            redis.call('HSET', KEYS[1], 'day', day, 'day_spent', '0')
        end
        if redis.call('HGET', KEYS[1], 'month') < month then
            redis.call('HSET', KEYS[1], 'month', month, 'month_spent', '0')
        end
    end
    local function release(id)
        local amount = redis.call('HGET', KEYS[2], id)
        if amount then
            redis.call('HINCRBY', KEYS[1], 'reserved', amount == '0' and '0' or '-' .. amount)
            redis.call('HDEL', KEYS[2], id)
        end
        redis.call('ZREM', KEYS[3], id)
        return amount, redis.call('SREM', KEYS[4], id) == 1
    end
    local function release_past(now)
        for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)) do
            if release(id) then forget() end
        end
    end
    local function whole(number) return string.format('%.0f', number) end
";

/// Reserves all or nothing. Arguments: now, id, day, month, the limits of day and month (empty for
/// none), the amount, the reservation's end, the limits of requests and tokens, tokens, and 1 when
/// the claim is new, 0 when it is extended. Returns granted, unknown with the account's epoch, or
/// refused with the limit's kind, what it allows, what is left and the milliseconds to wait.
pub(super) static RESERVE: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
        local now, id = ARGV[1], ARGV[2]
        local money = ARGV[5] ~= '' or ARGV[6] ~= ''
        turn_to(ARGV[3], ARGV[4])
        release_past(now)
        local is_held = redis.call('HEXISTS', KEYS[2], id) == 1
        if ARGV[12] == '1' and not is_held and redis.call('ZSCORE', KEYS[3], id) then
            return unknown()
        end
        if ARGV[12] == '0' and not is_held then return unknown() end
        if money then
            if not is_open() then return unknown() end
            local reserved = tonumber(redis.call('HGET', KEYS[1], 'reserved'))
            for _, period in ipairs({{'day', ARGV[5]}, {'month', ARGV[6]}}) do
                local limit = tonumber(period[2])
                if limit then
                    local spent = tonumber(redis.call('HGET', KEYS[1], period[1] .. '_spent'))
                    local left = limit - spent - reserved
                    if tonumber(ARGV[7]) > left or left <= 0 then
                        return {'refused', period[1], period[2], whole(left), '0'}
                    end
                end
            end
        end
        if ARGV[12] == '1' then
            local levels = {}
            for _, rate in ipairs({{'requests', ARGV[9], 1}, {'tokens', ARGV[10], tonumber(ARGV[11])}}) do
                local limit = tonumber(rate[2])
                if limit then
                    local full = limit * 60000
                    local level = tonumber(redis.call('HGET', KEYS[5], rate[1]) or full)
                    local at = tonumber(redis.call('HGET', KEYS[5], rate[1] .. '_at') or now)
                    level = math.min(full, level + math.max(0, tonumber(now) - at) * limit)
                    local missing = math.min(full, rate[3] * 60000) - level
                    if missing > 0 then
                        return {'refused', rate[1], rate[2], whole(math.floor(level / 60000)),
                            whole(math.ceil(missing / limit))}
                    end
                    levels[#levels + 1] = {rate[1], level - rate[3] * 60000, math.max(at, tonumber(now))}
                end
            end
            for _, level in ipairs(levels) do
                redis.call('HSET', KEYS[5], level[1], whole(level[2]), level[1] .. '_at', whole(level[3]))
                redis.call('PEXPIRE', KEYS[5], LIVES)
            end
        end
        redis.call('HINCRBY', KEYS[1], 'reserved', ARGV[7])
        redis.call('HINCRBY', KEYS[2], id, ARGV[7])
        redis.call('ZADD', KEYS[3], ARGV[8], id)
        for key = 1, 4 do redis.call('PEXPIRE', KEYS[key], LIVES) end
        return {'granted'}
        ",
    )
});

/// Opens an account unless it is known, or was forgotten since. Arguments: day, spent in it, month,
/// spent in it, epoch.
pub(super) static OPEN: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
        if not is_open() and (redis.call('HGET', KEYS[1], 'epoch') or '0') == ARGV[5] then
            for _, id in ipairs(redis.call('HKEYS', KEYS[2])) do redis.call('SADD', KEYS[4], id) end
            redis.call('HSET', KEYS[1], 'day', ARGV[1], 'day_spent', ARGV[2],
                'month', ARGV[3], 'month_spent', ARGV[4])
            redis.call('HSETNX', KEYS[1], 'reserved', '0')
            for key = 1, 4 do redis.call('PEXPIRE', KEYS[key], LIVES) end
        end
        return {}
        ",
    )
});

/// Books an attempt in place of its reservation. Arguments: id, its day and month, what it cost,
/// the tokens beyond those that were estimated, the reservation's end. What is not held was booked
/// already, or never reserved, or is in the sums that the account was opened with: whichever it is,
/// the ledger has the attempt, so the account is forgotten.
pub(super) static SETTLE: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
        local held, from_before = release(ARGV[1])
        if not held then
            redis.call('ZADD', KEYS[3], ARGV[6], ARGV[1])
            redis.call('PEXPIRE', KEYS[3], LIVES)
        end
        if not held or from_before then
            forget()
        elseif is_open() then
            for _, period in ipairs({{'day', ARGV[2]}, {'month', ARGV[3]}}) do
                if redis.call('HGET', KEYS[1], period[1]) == period[2] then
                    redis.call('HINCRBY', KEYS[1], period[1] .. '_spent', ARGV[4])
                end
            end
        end
        if held and redis.call('HEXISTS', KEYS[5], 'tokens') == 1 then
            local level = tonumber(redis.call('HGET', KEYS[5], 'tokens')) - tonumber(ARGV[5]) * 60000
            redis.call('HSET', KEYS[5], 'tokens', whole(level))
        end
        return {}
        ",
    )
});

/// Forgets what was spent, and keeps what is reserved.
pub(super) static FORGET: LazyLock<Script> = LazyLock::new(|| script("forget() return {}"));

/// Arguments: now, day, month. Returns what is spent in both and reserved, or nothing.
pub(super) static STANDING: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
        turn_to(ARGV[2], ARGV[3])
        release_past(ARGV[1])
        if not is_open() then return {} end
        return redis.call('HMGET', KEYS[1], 'day_spent', 'month_spent', 'reserved')
        ",
    )
});

fn script(code: &str) -> Script {
    Script::new(&format!("{SHARED}{code}"))
}
