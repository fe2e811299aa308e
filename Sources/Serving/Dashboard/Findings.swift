import DeltaLog
import SequenceStore

/// Something that a person should look at.
struct Finding {
  var text: String
  var section: PageSection.Name
}

extension OverviewPage {
  /// The worst first.
  var findings: [Finding] {
    let open = anomalies.filter(\.isOpen).map {
      Finding(text: "\($0.subject): \($0.valueText), \($0.expectedText), since \($0.since)", section: .anomalies)
    }
    return open + lateTypes + failingParties + incompleteDatasets + otherDefinitions + smallFiles + staleProfiles
  }

  private var lateTypes: [Finding] {
    eventTypes.filter(\.isLate).map {
      let (delay, promised) = (
        Figures.duration(seconds: $0.delaySeconds!), Figures.duration(seconds: $0.promisedSeconds!)
      )
      return Finding(text: "\($0.name) could be read after \(delay); \(promised) is promised", section: .freshness)
    }
  }

  /// One request in a hundred in the last minutes.
  private var failingParties: [Finding] {
    requests.parties.compactMap { party in
      guard let share = history.series(MetricName.errors(party)).last ?? nil, share > 0.01 else { return nil }
      return Finding(text: "\(party.name): \(Figures.share(share)) of the last requests failed", section: .requests)
    }
  }

  private var incompleteDatasets: [Finding] {
    datasets.compactMap { dataset in
      guard let latest = dataset.replacements.first, let promised = promisedCompleteness(of: dataset.dataset),
        latest.rightShare < promised
      else { return nil }
      return Finding(
        text:
          "\(dataset.dataset), \(latest.range): \(Figures.share(latest.rightShare)) of the events were right before the"
          + " batch; \(Figures.share(promised)) is promised", section: .completeness)
    }
  }

  private var otherDefinitions: [Finding] {
    datasets.compactMap { dataset in
      guard let written = look.histories[dataset.dataset]?.definitions, written != served.label else { return nil }
      return Finding(
        text: "\(dataset.dataset) is written with definitions \(written), served with \(served.label)",
        section: .definitions)
    }
  }

  /// More than upkeep leaves: it merges when there are eight of a size.
  private var smallFiles: [Finding] {
    datasets.compactMap { dataset in
      guard let worst = dataset.buckets.max(by: { $0.smallFileCount < $1.smallFileCount }), worst.smallFileCount > 24
      else {
        return nil
      }
      return Finding(
        text: "\(dataset.dataset), \(worst.bucket): \(worst.smallFileCount) small files; is upkeep running?",
        section: .storage)
    }
  }

  /// Upkeep compares events with those of the weeks before each time it runs.
  private var staleProfiles: [Finding] {
    guard datasets.contains(where: { $0.rowCount > 0 }) else { return [] }
    guard let report = look.report else {
      return [Finding(text: "Nobody looks for anomalies: run seq-store upkeep every hour", section: .anomalies)]
    }
    let seconds = Double(nowMicros - report.madeMicros) / 1e6
    guard seconds > 93_600 else { return [] }
    return [
      Finding(
        text: "Nobody has looked for anomalies for \(Figures.duration(seconds: seconds)): run seq-store upkeep",
        section: .anomalies)
    ]
  }

  /// The greatest share that a sequence over the dataset promises; nil where none does.
  func promisedCompleteness(of dataset: String) -> Double? {
    let types = served.definitions.eventTypes(dataset: dataset).map(\.name)
    let sequences = served.definitions.sequences.filter { !Set($0.eventTypes).isDisjoint(with: types) }
    return sequences.compactMap { $0.completeness?.share }.max()
  }
}
