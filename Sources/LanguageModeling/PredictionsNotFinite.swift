/// A model whose predictions are no numbers: its weights are too large to compute with.
public struct PredictionsNotFinite: Error, CustomStringConvertible {
  public init() {}

  public var description: String {
    "the model's predictions are not finite; its weights are damaged, or it has diverged"
  }
}
