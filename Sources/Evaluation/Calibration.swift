import LanguageModeling
import Tokenization

/// Temperature scaling (Guo et al. 2017, "On calibration of modern neural networks", §4.2): all logits are divided by one
/// number, the temperature with which a text has the least loss.
///
/// A model that has read its text many times is surer of other text than it is right. The loss is convex in s = 1/T, and
/// its derivative is the mean over tokens of (surprisal − entropy) / s: the model is calibrated where it is, on the whole,
/// as surprised as it expects to be.
public enum Calibration {
  /// What temperatures are held within.
  public static let temperatures = 0.5...2.0
  /// Tokens below which a text tells too little.
  public static let fewestTokens = 1000
  /// An excess in nats that makes no difference: the loss is then within 1e-5 nats of the least.
  static let tolerance = 0.003

  /// The temperature at which surprisals do not exceed entropies on the whole; 1 where that is not found.
  ///
  /// - Parameter excess: The mean of surprisal − entropy in nats, with all logits divided by a temperature.
  public static func temperature(excess: (_ temperature: Double) throws -> Double) rethrows -> Double {
    let scales = 1 / temperatures.upperBound...1 / temperatures.lowerBound
    func bounded(_ scale: Double) -> Double { min(max(scale, scales.lowerBound), scales.upperBound) }
    var last = (scale: 1.0, excess: try excess(1))
    guard last.excess.isFinite, abs(last.excess) > tolerance else { return 1 }
    var scale = bounded(1 - last.excess)  // about Newton's step: the curvature of characters is a little above 1
    for _ in 0..<3 {
      let now = (scale: scale, excess: try excess(1 / scale))
      let slope = (now.excess - last.excess) / (now.scale - last.scale)
      guard now.excess.isFinite, slope > 0 else { return 1 }
      last = now
      let next = bounded(scale - now.excess / slope)
      guard abs(now.excess) > tolerance, next != scale else { break }
      scale = next
    }
    return 1 / scale
  }
}

extension Scorer {
  /// How far the surprisals of a text exceed the entropies of the predictions, in nats per token.
  ///
  /// Lanes begin at places spread evenly over the text; each reads `warmUp` tokens, and `length` more that count. A text
  /// too short for them all is read by fewer.
  ///
  /// - Returns: Not a number where nothing counts.
  public func excessSurprisal(of tokens: TokenStream, lanes: Int, warmUp: Int, length: Int) -> Double {
    let targets = tokens.count - 1
    let lanes = max(1, min(lanes, targets / (warmUp + length)))
    let steps = min(warmUp + length, targets / lanes)
    let reader = model.makeReader(lanes: lanes, steps: 64, threads: threads)
    var (sum, count) = (0.0, 0)
    for start in stride(from: 0, to: steps, by: reader.steps) {
      let places = (start..<min(start + reader.steps, steps)).flatMap { t in
        (0..<lanes).map { lane in lane * targets / lanes + t }
      }
      let window = TokenWindow(
        steps: places.count / lanes, lanes: lanes, inputs: places.map { tokens[$0] },
        targets: places.map { tokens[$0 + 1] })
      let predictions = reader.predictions(window, PredictionDetail())
      for index in places.indices where start + index / lanes >= warmUp && window.targets[index] != unpredicted {
        sum += predictions.surprisals[index] - predictions.entropies[index]
        count += 1
      }
    }
    return sum / Double(count)
  }
}
