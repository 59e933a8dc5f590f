// Whether this process can compute on WebGPU at all.
import { createGraph } from '../../engine/graph/graph.ts';
import { createSession } from '../../engine/graph/session.ts';

/** @returns why there is no adapter, or undefined where there is one. */
export async function missingAdapter(): Promise<string | undefined> {
  const g = createGraph();
  g.output('y', g.op('Exp', [g.input('x', 'float32', [1])]));
  try {
    await (await createSession(g.graph, { device: 'webgpu' })).close();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
