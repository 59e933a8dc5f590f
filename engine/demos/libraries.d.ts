// Types of the ml.js libraries that ship none, as far as the demos use them.
declare module 'ml-knn' {
  export default class KNN {
    constructor(points: readonly (readonly number[])[], labels: readonly number[], options: { readonly k: number });
    predict(points: readonly (readonly number[])[]): number[];
  }
}

declare module 'ml-cart' {
  interface TreeOptions {
    readonly maxDepth: number;
    readonly minNumSamples: number;
  }
  export class DecisionTreeClassifier {
    constructor(options: TreeOptions & { readonly gainFunction: 'gini' });
    train(points: readonly (readonly number[])[], labels: readonly number[]): void;
    predict(points: readonly (readonly number[])[]): number[];
  }
  export class DecisionTreeRegression {
    constructor(options: TreeOptions & { readonly gainFunction: 'regression' });
    train(points: readonly (readonly number[])[], values: readonly number[]): void;
    predict(points: readonly (readonly number[])[]): number[];
  }
}

declare module 'ml-logistic-regression' {
  import type { Matrix } from 'ml-matrix';
  export default class LogisticRegression {
    constructor(options: { readonly numSteps: number; readonly learningRate: number });
    train(points: Matrix, labels: Matrix): void;
    predict(points: Matrix): number[];
  }
}

declare module 'libsvm-js/asm.js' {
  export default class SVM {
    static readonly SVM_TYPES: { readonly C_SVC: number };
    static readonly KERNEL_TYPES: { readonly RBF: number };
    constructor(options: {
      readonly type: number;
      readonly kernel: number;
      readonly gamma: number;
      readonly cost: number;
      readonly quiet: boolean;
    });
    train(points: readonly (readonly number[])[], labels: readonly number[]): void;
    predict(points: readonly (readonly number[])[]): number[];
    getSVIndices(): number[];
    /** Its memory is not the garbage collector's. */
    free(): void;
  }
}
