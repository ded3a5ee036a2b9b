import Compute
import LanguageModeling
import Optimization
import Recurrence

/// What a run goes back to: everything that its next step begins from, but the place in the text.
struct GoodStep<Layer: RecurrentLayer> {
  /// Steps made.
  let step: Int
  let parameters: ParameterSet<Layer.K.Real>
  /// With the optimiser's moments and its count of updates.
  let update: ClippedUpdate<Layer.K.Real>
  let state: CarriedState<Layer.K>
}
