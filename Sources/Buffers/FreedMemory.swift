import CMalloc

/// Memory that the allocator keeps for reuse.
public enum FreedMemory {
  /// Gives it back to the system: for the end of a phase that needed much more than the next one will.
  public static func giveBack() { malloc_trim(0) }
}
