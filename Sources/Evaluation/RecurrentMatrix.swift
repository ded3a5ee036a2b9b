import Compute

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The recurrent weights of one gate, `[H, H]`, in two numbers.
public struct RecurrentMatrix: Sendable, Equatable {
  /// The gate's letter, as torch.nn has it: i, f, g, o; r, z, n; h in a plain RNN.
  public let gate: String
  /// The largest absolute value of an eigenvalue.
  public let spectralRadius: Double
  /// The 2-norm: the largest singular value.
  public let norm: Double
}

/// The largest absolute value of a square matrix's eigenvalues, by Gelfand's formula: ρ = lim ‖A^k‖^(1/k).
///
/// The matrix is squared 32 times, brought to norm 1 before each, so k is 2³²; complex pairs and defective matrices,
/// on which power iteration turns in circles, need no care. ‖A^k‖ is at most C·k^j·ρ^k, with j below the size of the
/// largest Jordan block: the relative error is ln(C·k^j)/k, below 1e-7 even for blocks of a dozen.
package func spectralRadius(_ matrix: Rows<Double>) -> Double {
  precondition(matrix.rows == matrix.columns, "the spectral radius of a matrix [\(matrix.rows), \(matrix.columns)]")
  let kernels = DoubleKernels()
  let power = Rows(matrix.rows, matrix.columns, matrix.elements)
  let square = Rows<Double>(matrix.rows, matrix.columns)
  var packed: DoubleKernels.Packed?
  // ln ‖A^k‖^(1/k), collected as the norms are divided out.
  var logarithm = 0.0
  var share = 1.0
  for _ in 0..<32 {
    let norm = Double.sumOfSquares(power).squareRoot()
    guard norm > 0, norm.isFinite else { return norm }
    logarithm += share * log(norm)
    Double.scale(power, by: 1 / norm)
    let operand = kernels.pack(power, transposed: true, reusing: packed)
    kernels.multiply(power, operand, bias: nil, into: square, adding: false)
    power.copy(from: square)
    packed = operand
    share /= 2
  }
  let norm = Double.sumOfSquares(power).squareRoot()
  return norm > 0 ? exp(logarithm + share * log(norm)) : 0
}

/// The largest singular value: the square root of the spectral radius of AᵀA.
package func spectralNorm(_ matrix: Rows<Double>) -> Double {
  let product = Rows<Double>(matrix.columns, matrix.columns)
  DoubleKernels().addOuter(matrix, matrix, to: product)
  return spectralRadius(product).squareRoot()
}
