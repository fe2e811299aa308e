/// Reads items one at a time, works on them in parallel, and hands the products on in the order of reading.
///
/// Every thread takes turns at all three: it reads the next item (alone), works on it (beside the others), waits until
/// all earlier products are written, and writes its own (alone). So a blocked read or write holds up no work that could
/// go on, the threads need no queues between them, and at most one item per thread is in memory.
///
/// An item that is less work than waking another thread is dealt with before the turn to read is passed on, and by a thread
/// that takes short turns from then on: where such items come, people wait for them.
package struct OrderedPipeline: Sendable {
  /// Threads in all; one more than there are processors keeps them busy while one waits for a pipe.
  package var threads: Int

  package init(threads: Int) { self.threads = max(1, threads) }

  /// - Parameters:
  ///   - isBrief: whether an item is so little work that no other thread need read meanwhile.
  ///   - read: answers the next item, or nil at the end; called by one thread at a time.
  ///   - makeWorker: makes the function that turns an item into a product; called once on each thread, so that it may
  ///     keep scratch memory.
  ///   - write: takes the products in the order of their items; called by one thread at a time.
  /// - Throws: the first error in the order of items. Everything before it was written, nothing after it.
  package func run<Item, Product>(
    isBrief: @escaping @Sendable (Item) -> Bool = { _ in false }, read: @escaping () throws -> Item?,
    makeWorker: @escaping @Sendable () throws -> (Item) throws -> Product, write: @escaping (Product) throws -> Void
  ) throws {
    // SAFETY: `reading` and the turn of `writing` serialise the calls to the two closures.
    nonisolated(unsafe) let read = read
    nonisolated(unsafe) let write = write
    let reading = Monitor(ReadState())
    let writing = Monitor(WriteState())
    onThreads(threads) { _ in
      let worker = Result { try makeWorker() }
      /// Answers whether the run has failed.
      func finish(_ turn: Turn<Item>) -> Bool {
        let product = Result { try worker.get()(turn.item.get()) }
        let goesOn = writing.wait(until: { $0.turn == turn.ticket }, then: { $0.failure == nil })
        let outcome = goesOn ? Result { try unsafe write(product.get()) } : .success(())
        return writing.update { state in state.finish(outcome) }
      }
      var takesShortTurns = false
      func next() -> Turn<Item>? {
        reading.update { state in
          while let turn = unsafe state.next(read) {
            guard case .success(let item) = turn.item, isBrief(item) else { return turn }
            if !takesShortTurns { takeShortTurns() }
            takesShortTurns = true
            if finish(turn) { state.hasEnded = true }
          }
          return nil
        }
      }
      while let turn = next() {
        if finish(turn) { reading.update { $0.hasEnded = true } }
      }
    }
    if let failure = writing.update({ $0.failure }) { throw failure }
  }

  /// An item and its place in the order; a failed read is an item too, and the last one.
  private struct Turn<Item> {
    var ticket: Int
    var item: Result<Item, any Error>
  }

  private struct ReadState {
    var tickets = 0
    var hasEnded = false

    mutating func next<Item>(_ read: () throws -> Item?) -> Turn<Item>? {
      guard !hasEnded else { return nil }
      let item: Result<Item, any Error>
      do {
        guard let next = try read() else {
          hasEnded = true
          return nil
        }
        item = .success(next)
      } catch {
        hasEnded = true
        item = .failure(error)
      }
      tickets += 1
      return Turn(ticket: tickets - 1, item: item)
    }
  }

  private struct WriteState {
    var turn = 0
    var failure: (any Error)?

    /// Passes the turn on; answers whether the run has failed.
    mutating func finish(_ outcome: Result<Void, any Error>) -> Bool {
      if case .failure(let error) = outcome, failure == nil { failure = error }
      turn += 1
      return failure != nil
    }
  }
}
