// Collects the weights of a model in the order it names them.
import type { Shape } from '../graph/tensor.ts';
import type { Initial, LinearTarget, ParameterSpec, Part } from './model.ts';

interface LinearSpec {
  readonly part?: Part;
  /** Has a bias, unless said. */
  readonly bias?: boolean;
  readonly layout?: LinearTarget['layout'];
  readonly initial?: Initial;
}

export interface SpecCollector {
  readonly specs: ReadonlyMap<string, ParameterSpec>;
  add(name: string, shape: Shape, initial: Initial, part?: Part): void;
  /** `${name}.weight` and `${name}.bias`. */
  linear(name: string, out: number, input: number, spec?: LinearSpec): void;
  /** `${name}.weight`, starting at one, and `${name}.bias`. */
  norm(name: string, size: number, part?: Part): void;
}

/** @param range standard deviation of a weight's first numbers: `initializer_range` of config.json. */
export function collectSpecs(range: number): SpecCollector {
  const specs = new Map<string, ParameterSpec>();
  const add: SpecCollector['add'] = (name, shape, initial, part = 'body') => {
    specs.set(name, { shape, initial, part });
  };
  return {
    specs,
    add,
    linear(name, out, input, { part = 'body', bias = true, layout = 'out-in', initial = { normal: range } } = {}) {
      add(`${name}.weight`, layout === 'out-in' ? [out, input] : [input, out], initial, part);
      if (bias) add(`${name}.bias`, [out], 'zeros', part);
    },
    norm(name, size, part = 'body') {
      add(`${name}.weight`, [size], 'ones', part);
      add(`${name}.bias`, [size], 'zeros', part);
    },
  };
}
