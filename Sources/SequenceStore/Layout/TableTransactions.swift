// `txn` actions of a dataset's table, which say what of the live log and of its sources is in the table:
//
//   appId                                    version
//   seqline.live/SHARD                       the last segment of the shard's live log that is covered
//   seqline.position/SHARD/SOURCE[/PARTITION] the source's offset up to which its rows are covered
//   seqline.arrival/SHARD                    microseconds: the latest `seen_at` of the shard's stream up to that segment
//   seqline.horizon/BUCKET                   microseconds: the input horizon of the last replacement of the bucket
//
// SHARD is two digits or more, as directories have it; in SOURCE `%` and `/` are written `%25` and `%2F`.
import Definitions
import DeltaLog

/// Where a source was read up to: an offset belongs to a partition, or to the whole source where it has none.
package struct SourcePartition: Sendable, Hashable {
  package var source: String
  package var partition: Int64?

  package init(_ source: String, partition: Int64? = nil) {
    self.source = source
    self.partition = partition
  }
}

/// What a `txn` action of a dataset's table is about.
package enum TableTransaction: Sendable, Hashable {
  /// Its version is the last segment covered.
  case live(Shard)
  /// Its version is the offset.
  case position(Shard, SourcePartition)
  /// Its version is the latest time of arrival among the rows up to the last segment covered, of whatever dataset, in
  /// microseconds.
  case arrival(Shard)
  /// Its version is the input horizon of the bucket's last replacement, in microseconds.
  case horizon(bucket: String)

  package var appID: String {
    switch self {
    case .live(let shard): "\(Self.livePrefix)\(shard)"
    case .position(let shard, let place):
      "\(Self.positionPrefix)\(shard)/\(Self.encode(place.source))" + (place.partition.map { "/\($0)" } ?? "")
    case .arrival(let shard): "\(Self.arrivalPrefix)\(shard)"
    case .horizon(let bucket): "\(Self.horizonPrefix)\(bucket)"
    }
  }

  /// Nil for other applications' transactions.
  package init?(appID: String) {
    if let rest = Self.rest(of: appID, after: Self.livePrefix), let shard = Shard(rest) {
      self = .live(shard)
    } else if let rest = Self.rest(of: appID, after: Self.positionPrefix), let position = Self.position(rest) {
      self = position
    } else if let rest = Self.rest(of: appID, after: Self.arrivalPrefix), let shard = Shard(rest) {
      self = .arrival(shard)
    } else if let rest = Self.rest(of: appID, after: Self.horizonPrefix) {
      self = .horizon(bucket: String(rest))
    } else {
      return nil
    }
  }

  /// The action that records `version`.
  func action(version: Int64) -> Action {
    .transaction(AppTransaction(appID: appID, version: version, lastUpdatedMillis: DeltaTable.nowMillis()))
  }

  private static let livePrefix = "seqline.live/"
  private static let positionPrefix = "seqline.position/"
  private static let arrivalPrefix = "seqline.arrival/"
  private static let horizonPrefix = "seqline.horizon/"

  private static func rest(of text: String, after prefix: String) -> Substring? {
    text.hasPrefix(prefix) ? text.dropFirst(prefix.count) : nil
  }

  private static func position(_ text: Substring) -> TableTransaction? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), let shard = Shard(parts[0]), let source = decode(parts[1]) else { return nil }
    guard parts.count == 3 else { return .position(shard, SourcePartition(source)) }
    return Int64(parts[2]).map { .position(shard, SourcePartition(source, partition: $0)) }
  }

  private static func encode(_ source: String) -> String {
    var text = ""
    for character in source.unicodeScalars {
      switch character {
      case "%": text += "%25"
      case "/": text += "%2F"
      default: text.unicodeScalars.append(character)
      }
    }
    return text
  }

  private static func decode(_ text: Substring) -> String? {
    var source = ""
    var rest = text.unicodeScalars[...]
    while let character = rest.popFirst() {
      guard character == "%" else {
        source.unicodeScalars.append(character)
        continue
      }
      switch String(rest.prefix(2)) {
      case "25": source += "%"
      case "2F": source += "/"
      default: return nil
      }
      rest.removeFirst(2)
    }
    return source
  }
}

extension Snapshot {
  /// The last segment of a shard's live log whose rows the table has; 0 when it has none.
  package func coveredSegment(of shard: Shard) -> UInt64 {
    transactions[TableTransaction.live(shard).appID].map { UInt64(clamping: $0.version) } ?? 0
  }

  /// Whether sources have said how far they were read into a shard's live log.
  func hasPositions(of shard: Shard) -> Bool {
    transactions.keys.contains { appID in
      if case .position(shard, _)? = TableTransaction(appID: appID) { true } else { false }
    }
  }

  /// The input horizon of a bucket's last replacement, in microseconds; nil when it was never replaced.
  package func horizon(bucket: String) -> Int64? {
    transactions[TableTransaction.horizon(bucket: bucket).appID]?.version
  }
}

extension StoreDirectory {
  /// What the datasets' tables record, in no particular order.
  func transactions() throws(StoreError) -> [AppTransaction] {
    var all: [AppTransaction] = []
    for name in try datasetNames() {
      do { all += try dataset(name).snapshot().transactions.values } catch { throw .delta(error) }
    }
    return all
  }

  /// The last segment of a shard's live log that some dataset's table covers; 0 when none does.
  package func coveredSegment(of shard: Shard) throws(StoreError) -> UInt64 {
    var covered: UInt64 = 0
    for name in try datasetNames() {
      do { covered = max(covered, try dataset(name).snapshot().coveredSegment(of: shard)) } catch {
        throw .delta(error)
      }
    }
    return covered
  }
}
