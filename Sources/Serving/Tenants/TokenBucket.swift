/// A rate that is kept on the average: a second's worth may be taken at once, and debts are paid off first.
struct TokenBucket {
  /// Per second; also what fits in.
  private(set) var rate: Double
  private var tokens: Double
  private var filledAt: Int64

  init(rate: Double, now nanoseconds: Int64) {
    self.rate = rate
    tokens = max(rate, 1)
    filledAt = nanoseconds
  }

  /// Goes on at another rate; debts stay.
  mutating func change(rate: Double, now nanoseconds: Int64) {
    fill(now: nanoseconds)
    self.rate = rate
    tokens = min(tokens, max(rate, 1))
  }

  private mutating func fill(now nanoseconds: Int64) {
    tokens = min(max(rate, 1), tokens + Double(nanoseconds - filledAt) / 1e9 * rate)
    filledAt = nanoseconds
  }

  /// Seconds until there are `needed` tokens; 0 when there are.
  mutating func wait(for needed: Double, now nanoseconds: Int64) -> Double {
    fill(now: nanoseconds)
    return tokens >= needed ? 0 : (needed - tokens) / rate
  }

  /// Takes tokens, also those that are not there yet.
  mutating func take(_ count: Double) { tokens -= count }
}
