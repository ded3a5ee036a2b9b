import Compute
import Synchronization

/// The yardstick: the fastest of three matrix products, each thread at its own.
enum MatrixPeak {
  /// 2048³, and the two products of an LSTM of 512 with 64 lanes.
  private static let shapes = [(2048, 2048, 2048), (64, 512, 2048), (64, 2048, 512)]

  /// GFLOP/s of all threads together.
  static func measure<K: Kernels>(_: K.Type, threads: Int) -> Double {
    shapes.map { shape in
      let sum = Mutex(0.0)
      Workers(threads: threads).run(threads) { _ in
        let speed = speed(K.self, shape)
        sum.withLock { $0 += speed }
      }
      return sum.withLock { $0 }
    }.max() ?? 0
  }

  private static func speed<K: Kernels>(_: K.Type, _ shape: (m: Int, k: Int, n: Int)) -> Double {
    let kernels = K()
    let packed = kernels.pack(Rows<K.Real>(shape.n, shape.k), transposed: false, reusing: nil)
    let (a, out) = (Rows<K.Operand>(shape.m, shape.k), Rows<K.Real>(shape.m, shape.n))
    func multiply() { kernels.multiply(a, packed, bias: nil, into: out, adding: false) }
    multiply()
    var best = 0.0
    for _ in 0..<5 {
      let begin = ContinuousClock.now
      var count = 0.0
      var elapsed = 0.0
      repeat {
        multiply()
        count += 1
        elapsed = (ContinuousClock.now - begin) / .seconds(1)
      } while elapsed < 0.05
      best = max(best, count * 2 * Double(shape.m * shape.k * shape.n) / elapsed / 1e9)
    }
    return best
  }
}
