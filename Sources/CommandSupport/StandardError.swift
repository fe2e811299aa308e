import Glibc

/// The one place that writes to standard error; data never goes there.
package struct StandardError {
  package func line(_ text: String) {
    var text = text + "\n"
    text.withUTF8 { bytes in _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
  }
}

package var standardError: StandardError { StandardError() }
