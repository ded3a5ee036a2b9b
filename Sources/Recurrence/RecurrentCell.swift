/// The recurrent cells, by their names in `config.json` and on the command line.
public enum RecurrentCell: String, Sendable, CaseIterable {
  case lstm, gru, rnn
  /// An LSTM with layer normalization.
  case layerNormLSTM = "layer_norm_lstm"
}
