import Testing
import Training

/// What is different in a run from the plainest one of its tests.
struct RunKind: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let change: @Sendable (inout TrainingConfiguration) -> Void

  init(_ name: String, _ change: @escaping @Sendable (inout TrainingConfiguration) -> Void) {
    (testDescription, self.change) = (name, change)
  }
}
