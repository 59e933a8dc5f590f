// How long a workload's training graph takes to build and its session to make, and what one run of it computes.
import { costOf } from '../../../engine/graph/cost.ts';
import { createSession } from '../../../engine/graph/session.ts';
import { openOurs } from './open.ts';

const [id = '', threads = '2'] = process.argv.slice(2);
const { network, batch } = await openOurs(id, Number(threads));
const started = performance.now();
const graph = network.trainingGraph(batch);
const built = performance.now();
const session = await createSession(graph, { device: 'cpu', threads: Number(threads) });
const made = performance.now();
await session.close();
console.log(
  JSON.stringify({
    buildMs: built - started,
    sessionMs: made - built,
    nodes: graph.nodes.length,
    flops: costOf(graph).flops,
  }),
);
