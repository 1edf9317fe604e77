//! What must happen in Redis in one step.

use std::sync::LazyLock;

use deadpool_redis::redis::Script;

/// Name of the epoch, which stands in every key of an entity. Raising it hides all that was
/// written before.
pub(super) const EPOCH: &str = "v1:epoch";

/// Stores a value unless a newer one or a tombstone for a newer one is there.
///
/// Keys: the entity's, [`EPOCH`]. Arguments: the epoch in the key, the version in 20 digits, the
/// value, its time to live in milliseconds. Returns 1 when stored, 0 when refused, or the present
/// epoch when it is beyond the one given, and then nothing was done.
pub(super) static PUT_IF_NEWER: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local epoch = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
        if epoch > tonumber(ARGV[1]) then return epoch end
        if epoch < tonumber(ARGV[1]) then redis.call('SET', KEYS[2], ARGV[1]) end
        local there = redis.pcall('GET', KEYS[1])
        if type(there) == 'table' then
            redis.call('DEL', KEYS[1])
        elseif there and string.sub(there, 1, 1) == '1' and string.sub(there, 3, 22) > ARGV[2] then
            return 0
        end
        redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
        return 1
        ",
    )
});

/// Agrees on the epoch, or raises it.
///
/// Key: [`EPOCH`]. Arguments: the epoch known here (0 for none), and 1 to raise it. Returns the
/// epoch. A new one is at least the server's clock in milliseconds, so that an epoch never comes
/// back, not even after the server lost its memory or took an old one from disk.
pub(super) static AGREE_ON_EPOCH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local there = redis.pcall('GET', KEYS[1])
        if type(there) == 'table' then
            redis.call('DEL', KEYS[1])
            there = false
        end
        there = tonumber(there or '0') or 0
        local epoch = math.max(there, tonumber(ARGV[1]))
        if epoch == 0 or ARGV[2] == '1' then
            local time = redis.call('TIME')
            local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
            epoch = math.max(epoch + 1, now)
        end
        if epoch ~= there then redis.call('SET', KEYS[1], string.format('%.0f', epoch)) end
        return epoch
        ",
    )
});
