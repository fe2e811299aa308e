import Arrow
import Definitions
import Engine

/// Replaces days of a store by the events of a stream: what `seq-index --replace` does.
package struct IndexRun {
  private let store: StoreDirectory
  private let definitions: DefinitionSet
  private let range: DayRange
  private let acceptsPartial: Bool

  /// - Parameter acceptsPartial: whether a stream that was cut short is committed all the same.
  package init(_ store: StoreDirectory, definitions: DefinitionSet, replacing range: DayRange, acceptsPartial: Bool) {
    self.store = store
    self.definitions = definitions
    self.range = range
    self.acceptsPartial = acceptsPartial
  }

  /// Events that come in order go straight to their days; others are put in order first.
  ///
  /// - Throws: `NothingCommitted` when the stream has no end or cannot be read, or the run was asked to stop before all
  ///   was read; then the store is as it was.
  package func run(
    _ stage: StageOptions, assembly: AssemblyOptions, indexing: StoreIndexer.Options
  ) throws -> (report: RunReport, counts: [String: IndexCounts]) {
    let indexer = try StoreIndexer(store, definitions: definitions, replacing: range, options: indexing)
    let report: RunReport
    do {
      report = try read(stage, into: indexer, DatasetAssemblers(assembly))
    } catch { throw NothingCommitted(store: store.path, reason: error) }
    return (report, try commit(indexer, report.horizonMicros))
  }

  private func commit(_ indexer: StoreIndexer, _ inputHorizonMicros: Int64?) throws -> [String: IndexCounts] {
    do {
      try store.keep(definitions)
      return try indexer.commit(inputHorizonMicros: inputHorizonMicros)
    } catch {
      throw CommitFailed(store: store.path, committed: indexer.committed, reason: error)
    }
  }

  private func read(
    _ stage: StageOptions, into indexer: StoreIndexer, _ assemblers: DatasetAssemblers
  ) throws -> RunReport {
    let report: RunReport
    do {
      report = try EventInput(stage).forEachBatch { batch in
        let isOrdered = batch.schema.metadata[MetadataKey.order] == "user"
        if isOrdered { try indexer.add(batch) } else { try assemblers.append(batch) }
      }
    } catch let error as InputCutShort where acceptsPartial {
      report = error.report
    }
    _ = try assemblers.finish { batch in
      if !acceptsPartial { try stage.stop?.check() }
      try indexer.add(batch)
    }
    return report
  }
}

/// A commit could not be made; each dataset's table is as it was or as it was to become.
package struct CommitFailed: Error, CustomStringConvertible {
  package var store: String
  /// The datasets whose tables were replaced before.
  package var committed: [String]
  package var reason: any Error

  package var description: String {
    guard !committed.isEmpty else { return "\(reason); nothing was committed to \(store)" }
    return
      "\(reason); committed to \(store): \(committed.joined(separator: ", ")), nothing else; run the pipeline again"
  }
}

/// The input could not be read to its end, so the store was left as it was.
package struct NothingCommitted: Error, CustomStringConvertible {
  package var store: String
  package var reason: any Error

  package var description: String {
    guard let cut = reason as? InputCutShort, !cut.report.wasStopped else {
      return "\(reason); nothing was committed to \(store)"
    }
    return "the input ended before its end mark: the stage before this one did not finish; nothing was committed to "
      + "\(store): run the pipeline again, or give --partial to commit what came"
  }
}
