import Engine
import Frames

/// Whether the reader of our output left, which ends a command quietly.
func isBrokenPipe(_ error: any Error) -> Bool {
  switch error {
  case let error as SystemError: error.isBrokenPipe
  case let error as FrameError: error.reason == .brokenPipe
  default: false
  }
}
