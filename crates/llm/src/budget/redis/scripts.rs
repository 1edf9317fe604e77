//! What must happen in Redis in one step.
//!
//! Lua counts in floating point, so amounts are added by Redis itself, exactly; Lua only compares
//! them. A comparison of more than 9,000 dollars may be wrong by some pico-dollars.

use std::sync::LazyLock;

use deadpool_redis::redis::Script;

/// Keys of all scripts: the account, its reservations by id, their ends by id, the rate's buckets.
/// The account lives as long as it is asked for, and a month and some days beyond.
const SHARED: &str = r"
    local LIVES = 3110400000
    local function turn_to(day, month)
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
    end
    local function release_past(now)
        for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)) do release(id) end
    end
    local function whole(number) return string.format('%.0f', number) end
";

/// Reserves all or nothing. Arguments: now, id, day, month, the limits of day and month (empty for
/// none), the amount, the reservation's end, the limits of requests and tokens, tokens, and 1 when
/// the claim is new, 0 when it is extended. Returns granted, unknown, or refused with the limit's
/// kind, what it allows, what is left and the milliseconds to wait.
pub(super) static RESERVE: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
        local now, id = ARGV[1], ARGV[2]
        local money = ARGV[5] ~= '' or ARGV[6] ~= ''
        if money then
            if redis.call('HEXISTS', KEYS[1], 'day') == 0 then return {'unknown'} end
            turn_to(ARGV[3], ARGV[4])
            release_past(now)
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
                    local level = tonumber(redis.call('HGET', KEYS[4], rate[1]) or full)
                    local at = tonumber(redis.call('HGET', KEYS[4], rate[1] .. '_at') or now)
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
                redis.call('HSET', KEYS[4], level[1], whole(level[2]), level[1] .. '_at', whole(level[3]))
                redis.call('PEXPIRE', KEYS[4], LIVES)
            end
        end
        if money then
            redis.call('HINCRBY', KEYS[1], 'reserved', ARGV[7])
            redis.call('HINCRBY', KEYS[2], id, ARGV[7])
            redis.call('ZADD', KEYS[3], ARGV[8], id)
            for key = 1, 3 do redis.call('PEXPIRE', KEYS[key], LIVES) end
        end
        return {'granted'}
        ",
    )
});

/// Opens an account unless it is known. Arguments: day, spent in it, month, spent in it.
pub(super) static OPEN: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
        if redis.call('HEXISTS', KEYS[1], 'day') == 0 then
            redis.call('DEL', KEYS[2], KEYS[3])
            redis.call('HSET', KEYS[1], 'day', ARGV[1], 'day_spent', ARGV[2],
                'month', ARGV[3], 'month_spent', ARGV[4], 'reserved', '0')
            redis.call('PEXPIRE', KEYS[1], LIVES)
        end
        return {}
        ",
    )
});

/// Books an attempt in place of its reservation. Arguments: id, its day and month, what it cost,
/// the tokens beyond those that were estimated. An account that is not known will begin with the
/// ledger, which has the attempt.
pub(super) static SETTLE: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
        if redis.call('HEXISTS', KEYS[1], 'day') == 1 then
            release(ARGV[1])
            for _, period in ipairs({{'day', ARGV[2]}, {'month', ARGV[3]}}) do
                if redis.call('HGET', KEYS[1], period[1]) == period[2] then
                    redis.call('HINCRBY', KEYS[1], period[1] .. '_spent', ARGV[4])
                end
            end
        end
        if redis.call('HEXISTS', KEYS[4], 'tokens') == 1 then
            local level = tonumber(redis.call('HGET', KEYS[4], 'tokens')) - tonumber(ARGV[5]) * 60000
            redis.call('HSET', KEYS[4], 'tokens', whole(level))
        end
        return {}
        ",
    )
});

/// Arguments: now, day, month. Returns what is spent in both and reserved, or nothing.
pub(super) static STANDING: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
        if redis.call('HEXISTS', KEYS[1], 'day') == 0 then return {} end
        turn_to(ARGV[2], ARGV[3])
        release_past(ARGV[1])
        return redis.call('HMGET', KEYS[1], 'day_spent', 'month_spent', 'reserved')
        ",
    )
});

fn script(code: &str) -> Script {
    Script::new(&format!("{SHARED}{code}"))
}
