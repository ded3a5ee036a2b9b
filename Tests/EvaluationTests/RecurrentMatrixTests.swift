import Compute
import Evaluation
import Foundation
import TestSupport
import Testing

/// Radii and norms of matrices whose eigenvalues and singular values are known.
@Suite struct RecurrentMatrixTests {
  struct Known: CustomTestStringConvertible {
    let name: String
    let elements: [Double]
    let radius, norm: Double
    var testDescription: String { name }
  }

  static let known = [
    Known(name: "one negative number", elements: [-3], radius: 3, norm: 3),
    Known(name: "diagonal", elements: [2, 0, 0, 0, -5, 0, 0, 0, 1], radius: 5, norm: 5),
    Known(name: "equal and opposite eigenvalues", elements: [0, 2, 2, 0], radius: 2, norm: 2),
    Known(name: "rotation, a complex pair", elements: [0.6, -0.8, 0.8, 0.6], radius: 1, norm: 1),
    Known(name: "a complex pair that turns and shears", elements: [0, -4, 1, 0], radius: 2, norm: 4),
    Known(
      name: "Jordan block", elements: [0.9, 1, 0, 0, 0.9, 1, 0, 0, 0.9], radius: 0.9,
      // Norms without a simple form are from NumPy.
      norm: 1.70937629811176),
    Known(name: "far from normal", elements: [1, 1000, 0, 0.5], radius: 1, norm: 1000.000625),
    // (x − 3)(x² + 4): 3 and ±2i.
    Known(name: "companion", elements: [3, -4, 12, 1, 0, 0, 0, 1, 0], radius: 3, norm: 13.005717125389346),
    Known(name: "nilpotent", elements: [0, 1, 2, 0, 0, 3, 0, 0, 0], radius: 0, norm: 3.6502815398728847),
    Known(name: "zero", elements: [0, 0, 0, 0], radius: 0, norm: 0),
  ]

  @Test(arguments: known)
  func radiusAndNorm(_ known: Known) {
    let size = Int(Double(known.elements.count).squareRoot())
    let matrix = Rows(size, size, known.elements)
    #expect(abs(spectralRadius(matrix) - known.radius) < 1e-7)
    #expect(abs(spectralNorm(matrix) / max(known.norm, 1e-300) - 1) < 1e-5 || known.norm == 0)
    #expect(matrix.elements == known.elements, "the matrix was changed")
  }

  @Test(arguments: [0.5, 1, 1.5], [2, 17, 40])
  func scaledOrthogonalMatrix(_ rho: Double, _ size: Int) {
    let matrix = Rows(size, size, orthogonal(size, seed: 4).map { $0 * rho })
    #expect(abs(spectralRadius(matrix) - rho) < 1e-8 && abs(spectralNorm(matrix) - rho) < 1e-8)
  }

  /// Q·T·Qᵀ has the eigenvalues on the diagonal of the triangular T.
  @Test func similarToATriangularMatrix() {
    let (size, kernels) = (20, DoubleKernels())
    var random = CounterRandom(seed: 9, purpose: .corpus)
    let triangular = Rows(size, size, randomNumbers(size * size, bound: 0.3, using: &random))
    for row in 0..<size {
      for column in 0..<row { triangular[row, column] = 0 }
      triangular[row, row] = row == 7 ? -1.25 : 0.9 * Double(row) / Double(size)
    }
    let rotation = Rows(size, size, orthogonal(size, seed: 5))
    let (half, matrix) = (Rows<Double>(size, size), Rows<Double>(size, size))
    kernels.multiply(
      rotation, kernels.pack(triangular, transposed: true, reusing: nil), bias: nil, into: half, adding: false)
    kernels.multiply(
      half, kernels.pack(rotation, transposed: false, reusing: nil), bias: nil, into: matrix, adding: false)
    #expect(abs(spectralRadius(matrix) - 1.25) < 1e-8)
  }
}
