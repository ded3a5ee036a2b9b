extension ParameterSet {
  /// Fills a tensor with numbers uniform in ±`bound`, from the stream of `seed` that belongs to the tensor's place.
  public mutating func fillUniform(_ slot: ParameterLayout.Slot, bound: Double, seed: UInt64) {
    var random = CounterRandom(seed: seed, purpose: .initialization, lane: slot.index)
    let tensor = writable(slot)
    let values: [Double] = (0..<tensor.count).map { _ in (random.uniform() * 2 - 1) * bound }
    Real.copy(values, to: tensor)
  }
}
