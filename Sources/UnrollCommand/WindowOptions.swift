import ArgumentParser
import Corpora
import Training

/// `--variable-k1` and `--random-offset`: where windows begin and end.
struct WindowOptions: ParsableArguments {
  @Flag(
    help: """
      Draw the steps of every window, as AWD-LSTM does: around k1, one time in twenty around half of it, standard \
      deviation 5, and the learning rate in proportion. Gradients flow back the whole window, or --k2 steps.
      """)
  var variableK1 = false

  @Flag(
    inversion: .prefixedNo,
    help: "Begin each epoch at a random place of the training part; its end is followed by its beginning.")
  var randomOffset = true

  /// - Parameter k1: Nil for all steps.
  func validate(k1: Int?, k2: Int?) throws {
    guard variableK1 else { return }
    guard let k1 else { throw ValidationError("--variable-k1 wants a number of steps to vary around, not --k1 all.") }
    let smallest = WindowSchedule.smallestVariedK1
    try require(k1 >= smallest, "--variable-k1 wants --k1 of at least \(smallest), not \(k1).")
    try require(
      k2 ?? 1 < k1,
      "--variable-k1 wants --k2 below --k1 (\(k1)); without --k2, gradients flow back the whole of each window.")
  }

  func apply(to settings: inout TrainingConfiguration) {
    settings.variesK1 = variableK1
    settings.hasRandomOffset = randomOffset
  }
}
