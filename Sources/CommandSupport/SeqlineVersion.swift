/// What `--version` prints of every command.
package let seqlineVersion = "Seqline 0.1.0"
