import CRdKafka
import Synchronization

/// Takes down what librdkafka calls back, for whoever polled to act on afterwards.
final class KafkaCallbacks: Sendable {
  enum Event: Sendable {
    case assigned([Int32])
    case revoked([Int32])
  }

  struct Failure: Sendable {
    var code: rd_kafka_resp_err_t
    var reason: String
  }

  private struct State {
    var events: [Event] = []
    var failures: [Failure] = []
    var isClosing = false
  }

  private let state = Mutex(State())

  /// What happened since the last call.
  func takeEvents() -> [Event] {
    state.withLock { state in
      defer { state.events = [] }
      return state.events
    }
  }

  func takeFailures() -> [Failure] {
    state.withLock { state in
      defer { state.failures = [] }
      return state.failures
    }
  }

  /// From now on partitions are given back at once: nobody is there any more to do it.
  func close() { state.withLock { $0.isClosing = true } }

  /// - Parameter configuration: of a consumer that does not outlive these callbacks.
  func install(_ configuration: OpaquePointer) {
    unsafe rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(self).toOpaque())
    unsafe rd_kafka_conf_set_rebalance_cb(configuration) { handle, code, list, opaque in
      unsafe KafkaCallbacks.from(opaque).rebalance(handle, code, list)
    }
    unsafe rd_kafka_conf_set_error_cb(configuration) { _, code, reason, opaque in
      let text = unsafe reason.map { unsafe String(cString: $0) } ?? ""
      unsafe KafkaCallbacks.from(opaque).state.withLock {
        $0.failures.append(Failure(code: rd_kafka_resp_err_t(code), reason: text))
      }
    }
  }

  private static func from(_ opaque: UnsafeMutableRawPointer?) -> KafkaCallbacks {
    unsafe Unmanaged<KafkaCallbacks>.fromOpaque(opaque!).takeUnretainedValue()
  }

  /// Notes the change; librdkafka waits until `assign` or `unassign` is called.
  private func rebalance(
    _ handle: OpaquePointer?, _ code: rd_kafka_resp_err_t,
    _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
  ) {
    let partitions =
      unsafe list.map { list in
        unsafe (0..<Int(list.pointee.cnt)).map { unsafe list.pointee.elems[$0].partition }
      } ?? []
    let isClosing = state.withLock { state in
      if !state.isClosing {
        state.events.append(code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? .assigned(partitions) : .revoked(partitions))
      }
      return state.isClosing
    }
    if isClosing { unsafe rd_kafka_assign(handle, nil) }
  }
}
