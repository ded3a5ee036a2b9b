import Compute
import LanguageModeling
import ModelFiles
import Optimization
import Recurrence

/// What a step begins from, but the place in the text: what a run goes back to, and what a checkpoint keeps.
struct Snapshot<Layer: RecurrentLayer> {
  typealias Real = Layer.K.Real

  /// Steps made.
  let step: Int
  let parameters: ParameterSet<Real>
  /// With the optimiser's moments and its count of updates, and the average.
  let update: ClippedUpdate<Real>
  let state: CarriedState<Layer.K>

  // MARK: On disk

  /// The tensors, their names behind a prefix.
  func tensors(_ prefix: String, _ bptt: TruncatedBPTT<Layer>) -> [Safetensors.Entry] {
    let remembered = update.optimizer.state + (update.average?.state ?? [])
    return parameters.stored(prefix + "weights.")
      + remembered.flatMap { $0.values.stored("\(prefix)\($0.name).") }
      + bptt.stored(state, prefix + "carried.")
  }

  /// The numbers beside the tensors.
  var json: JSON {
    [
      "step": .integer(step), "updates": .integer(update.optimizer.updates), "begins_stream": .bool(state.beginsStream),
      "average": update.average.map { average in
        [
          "updates": .integer(average.counters.updates), "is_triggered": .bool(average.counters.isTriggered),
          "losses": .array(average.counters.losses.map { JSON($0) }),
        ]
      } ?? .null,
    ]
  }

  /// What ``tensors(_:_:)`` and ``json`` hold.
  ///
  /// - Parameter fresh: The run's first update: its optimiser and average say what there is to read.
  /// - Throws: ``CheckpointDamage``, ``JSONFields/Missing``.
  init(
    _ prefix: String, of tensors: Safetensors, _ fields: JSONFields, fresh: ClippedUpdate<Real>,
    _ bptt: TruncatedBPTT<Layer>
  ) throws {
    func read(_ name: String, _ values: ParameterSet<Real>) throws -> ParameterSet<Real> {
      var values = values
      try values.take("\(prefix)\(name).", of: tensors)
      return values
    }
    func read(_ named: [NamedParameters<Real>]) throws -> [NamedParameters<Real>] {
      try named.map { .init($0.name, try read($0.name, $0.values)) }
    }
    step = try fields.count("step")
    parameters = try read("weights", ParameterSet(bptt.network.layout))
    var update = fresh
    update.optimizer.state = try read(fresh.optimizer.state)
    update.optimizer.updates = try fields.count("updates")
    if let average = fresh.average {
      let kept = try fields.fields("average")
      var counters = WeightAverage<Real>.Counters()
      counters.updates = try kept.count("updates")
      counters.isTriggered = try kept.flag("is_triggered")
      counters.losses = try kept.numbers("losses")
      update.average?.restore(try read(average.state), counters)
    }
    self.update = update
    state = try bptt.carriedState(
      prefix + "carried.", of: tensors, beginsStream: try fields.flag("begins_stream"))
  }

  init(step: Int, parameters: ParameterSet<Real>, update: ClippedUpdate<Real>, state: CarriedState<Layer.K>) {
    (self.step, self.parameters, self.update, self.state) = (step, parameters, update, state)
  }
}
