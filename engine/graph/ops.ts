// The one closed list of operations: what each takes and its attributes. Shape rules, ONNX forms, gradients and their
// finite-difference checks are mapped types over it, so adding an op without one of them does not compile.
import type { DataType, Shape } from './tensor.ts';

/** A value of the graph: the static shape and type of what will flow there. */
export interface Value {
  readonly name: string;
  readonly type: DataType;
  readonly shape: Shape;
}

type None = Readonly<Record<never, never>>;
type One = readonly [Value];
type Two = readonly [Value, Value];
type Three = readonly [Value, Value, Value];

interface Signature<Inputs extends readonly Value[], Attributes = None, Outputs extends readonly Value[] = One> {
  readonly inputs: Inputs;
  readonly attributes: Attributes;
  readonly outputs: Outputs;
}

/** Which axes are folded; they stay with size 1 when `keepDims`. */
interface Reduction {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** Rows and columns. */
export type Pair = readonly [number, number];

/** How a window goes over the last two axes of [n, c, height, width]. */
interface Window {
  readonly strides: Pair;
  /** Zeros (for a maximum: nothing) at the top, left, bottom and right. */
  readonly pads: readonly [number, number, number, number];
}

export interface Convolution extends Window {
  readonly dilations: Pair;
  readonly groups: number;
}

export interface Pooling extends Window {
  readonly kernel: Pair;
}

/** A matrix [out, in] whose rows are cut into blocks of `blockSize` numbers that share a step. */
export interface Blocks {
  readonly out: number;
  readonly in: number;
  readonly blockSize: number;
}

interface OpSignatures {
  // Element by element; two operands broadcast as NumPy's do.
  Add: Signature<Two>;
  Sub: Signature<Two>;
  Mul: Signature<Two>;
  Div: Signature<Two>;
  Equal: Signature<Two>;
  Neg: Signature<One>;
  Exp: Signature<One>;
  Log: Signature<One>;
  Erf: Signature<One>;
  Tanh: Signature<One>;
  Sqrt: Signature<One>;
  Sigmoid: Signature<One>;
  Clip: Signature<One, { readonly min: number; readonly max: number }>;
  Relu: Signature<One>;
  Gelu: Signature<One>;
  /** ½x(1 + tanh(√(2/π)(x + 0.044715x³))), `gelu_new` and `gelu_pytorch_tanh` of config.json. */
  GeluTanh: Signature<One>;
  /** x·σ(x). */
  Silu: Signature<One>;
  Identity: Signature<One>;
  /** x, taken for a constant: no gradient passes. */
  Detach: Signature<One>;
  Cast: Signature<One, { readonly to: DataType }>;
  // Folding.
  ReduceSum: Signature<One, Reduction>;
  /** Σx². */
  ReduceSumSquare: Signature<One, Reduction>;
  ReduceMax: Signature<One, Reduction>;
  /** Over the last axis. */
  Softmax: Signature<One>;
  /** Over the last axis: x, scale, bias → y, mean, 1/deviation. */
  LayerNormalization: Signature<Three, { readonly epsilon: number }, Three>;
  /** Over the last axis: x, scale → x/√(mean x² + ε)·scale, 1/√(mean x² + ε). */
  RmsNormalization: Signature<Two, { readonly epsilon: number }, Two>;
  // Products.
  MatMul: Signature<Two>;
  /** op(A)·op(B) + C for matrices; C broadcasts over rows. */
  Gemm: Signature<Two | Three, { readonly transA: boolean; readonly transB: boolean }>;
  /**
   * x [rows, in]·Wᵀ → [rows, out] for a frozen W [out, in] kept in four bits: x, its numbers uint4 [out, in], the step of
   * each block [out, blocks], zero points uint4 [out, blocks]. W is unpacked for this product alone.
   */
  MatMulFourBit: Signature<readonly [Value, Value, Value, Value], Blocks>;
  /** The same W as float32 [out, in]: numbers, steps, zero points. */
  DequantizeLinear: Signature<Three, Blocks>;
  /** x [n, c, h, w], kernels [m, c/groups, kh, kw], bias [m] → [n, m, …]. */
  Conv: Signature<Two | Three, Convolution>;
  /** y [n, m, …], kernels [m, c/groups, kh, kw] → [n, c, h, w]: what `Conv` does to a gradient. */
  ConvTranspose: Signature<Two, Convolution & { readonly outputPadding: Pair }>;
  /** The largest of each window, and the place of each in all of x. */
  MaxPool: Signature<One, Pooling, Two>;
  /**
   * x [n, length, heads·d], cos and sin [length, d/2]: turns the pair (xᵢ, xᵢ₊d⸝₂) of each head by the angle of its place
   * (Su et al. 2021).
   */
  RotaryEmbedding: Signature<Three>;
  // Moving and picking.
  Transpose: Signature<One, { readonly perm: readonly number[] }>;
  Reshape: Signature<One, { readonly shape: Shape }>;
  Expand: Signature<One, { readonly shape: Shape }>;
  /** Any number of values, one after the other along an axis. */
  Concat: Signature<readonly [Value, ...Value[]], { readonly axis: number }>;
  /** Equal parts along an axis. */
  Split: Signature<One, { readonly axis: number; readonly parts: number }, readonly [Value, ...Value[]]>;
  /** Every `step`-th (each, unless said). */
  Slice: Signature<
    One,
    { readonly axis: number; readonly start: number; readonly end: number; readonly step?: number }
  >;
  /** Zeros before and after, along one axis. */
  Pad: Signature<One, { readonly axis: number; readonly before: number; readonly after: number }>;
  /** Rows of a table by index: table [n, …], indices […] → [indices…, …]. */
  Gather: Signature<Two>;
  GatherElements: Signature<Two, { readonly axis: number }>;
  /** data, indices, updates: adds each update where its index points, along `axis`; equal indices accumulate. */
  ScatterElements: Signature<Three, { readonly axis: number }>;
}

export type Op = keyof OpSignatures;
export type OpInputs = { readonly [O in Op]: OpSignatures[O]['inputs'] };
export type OpAttributes = { readonly [O in Op]: OpSignatures[O]['attributes'] };
export type OpOutputs = { readonly [O in Op]: OpSignatures[O]['outputs'] };

/** The attributes as trailing arguments: none for an op that has none. */
export type AttributeArguments<O extends Op> = keyof OpAttributes[O] extends never ? [] : [OpAttributes[O]];

export interface GraphNode<O extends Op = Op> {
  readonly op: O;
  readonly inputs: OpInputs[O];
  readonly attributes: OpAttributes[O];
  readonly outputs: OpOutputs[O];
}

/** A tuple as long as `T`, of `V`: one answer for each input or output. */
export type Each<T extends readonly unknown[], V> = { readonly [K in keyof T]: V };
