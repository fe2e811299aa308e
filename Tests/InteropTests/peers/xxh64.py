"""XXH64 with seed 0, as a signed number: the identity of an event from its id. Source: xxHash's xxhash_spec.md."""

P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
MASK = (1 << 64) - 1


def rotated(value, count):
    return (value << count | value >> (64 - count)) & MASK


def mixed(lane, word):
    return rotated((lane + word * P2) & MASK, 31) * P1 & MASK


def striped(data):
    """The state after all whole stripes of 32 bytes."""
    lanes = [(P1 + P2) & MASK, P2, 0, -P1 & MASK]
    for start in range(0, len(data) - 31, 32):
        for lane in range(4):
            word = int.from_bytes(data[start + 8 * lane:start + 8 * lane + 8], "little")
            lanes[lane] = mixed(lanes[lane], word)
    state = sum(rotated(lane, count) for lane, count in zip(lanes, (1, 7, 12, 18))) & MASK
    for lane in lanes:
        state = ((state ^ mixed(0, lane)) * P1 + P4) & MASK
    return state


def xxh64(text):
    data = text.encode()
    state = striped(data) if len(data) >= 32 else P5
    state = (state + len(data)) & MASK
    at = len(data) & ~31
    while at + 8 <= len(data):
        state = (rotated(state ^ mixed(0, int.from_bytes(data[at:at + 8], "little")), 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= len(data):
        state = (rotated(state ^ int.from_bytes(data[at:at + 4], "little") * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        state = rotated(state ^ byte * P5 & MASK, 11) * P1 & MASK
    state = (state ^ state >> 33) * P2 & MASK
    state = (state ^ state >> 29) * P3 & MASK
    state ^= state >> 32
    return state - (1 << 64) if state >> 63 else state
