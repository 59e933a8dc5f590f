// Effective batch, steps per epoch and in all, warmup steps, learning rate at a step, training time.
import { type Calculator, computed, missing } from './calculation.ts';
import { readField } from './read-numbers.ts';
import { show, showSeconds } from './show.ts';

const fields = {
  batch: {
    names: String.raw`(?:per[\s_-]device[\s_-](?:train[\s_-])?|micro[\s-]?|mini[\s-]?|train[\s_]|per[\s-]gpu[\s-])?batch(?:[\s_-]?size)?(?: per (?:device|gpu|card))?|bs`,
  },
  accumulation: {
    names: String.raw`(?:gradient[\s_-])?accum(?:ulation|ulate|ulating|\.)?(?:[\s_-]steps?)?|grad(?:ient)?[\s_-]accum(?:ulation)?(?:[\s_-]steps?)?|ga`,
  },
  accumulationBefore: {
    names: String.raw`(?:gradient[\s_-])?accumulation(?:[\s_-]steps?)|(?:steps? of )?grad(?:ient)?[\s_-]accum\w*`,
    side: 'before',
  },
  devices: { names: String.raw`(?:\w+ )?gpus?|devices?|cards?|world[\s_]size|a100s?|h100s?`, side: 'before' },
  examples: {
    names:
      '(?:training |train |labell?ed )?(?:examples?|samples?|rows?|images?|sentences?|pairs?|records?|reviews?|instances?|texts?|documents?|data ?points?)|n(?:um)?_samples|dataset(?: size)?|data ?set',
    side: 'before',
  },
  epochs: { names: '(?:num(?:_train)?_)?epochs?', side: 'before' },
  steps: { names: '(?:total |training |max_|optimi[sz]er )?(?:steps?|iterations?|updates?)', side: 'before' },
} as const;

/** Steps of one epoch: the last, smaller batch counts. */
function stepsPerEpoch(examples: number, effectiveBatch: number): number {
  return Math.ceil(examples / effectiveBatch);
}

export const effectiveBatch: Calculator = ({ text, asksForNumber }) => {
  const wants = /effective|global|total batch|real batch/.test(text) && /batch/.test(text);
  if (!wants) return undefined;
  const { batch, accumulation, devices } = readBatch(text);
  if (batch === undefined && accumulation === undefined && !asksForNumber) return undefined;
  if (batch === undefined && accumulation === undefined && devices === undefined) return undefined;
  if (batch === undefined) return lackingBatch();
  if (accumulation === undefined && devices === undefined) {
    return missing({
      what: 'the effective batch',
      missing: ['the accumulation steps, or the number of devices'],
      example: 'effective batch for batch size 4, accumulation 8, 2 GPUs',
      section: 'hyperparameters#batch-size',
    });
  }
  const [steps, count] = [accumulation ?? 1, devices ?? 1];
  return computed({
    result: `**The effective batch is ${show(batch * steps * count)}** examples a step.`,
    working: [`per device × accumulation × devices = ${batch} × ${steps} × ${count} = ${show(batch * steps * count)}`],
    section: 'hyperparameters#batch-size',
  });
};

function readBatch(text: string) {
  const accumulation = readField(text, fields.accumulation) ?? readField(text, fields.accumulationBefore);
  return { batch: readField(text, fields.batch), accumulation, devices: readField(text, fields.devices) };
}

function lackingBatch() {
  return missing({
    what: 'the effective batch',
    missing: ['the batch size per device'],
    example: 'effective batch for batch size 4, accumulation 8, 2 GPUs',
    section: 'hyperparameters#batch-size',
  });
}

export const steps: Calculator = ({ text, asksForNumber }) => {
  const wants =
    /(?:how many|number of|calculate|compute|total|count)\b.*\b(?:steps?|iterations?|updates?|batches)\b|steps per epoch|iterations per epoch|batches per epoch|steps in (?:all|total)|steps? (?:is|are) (?:that|one epoch)/.test(
      text,
    );
  if (!wants || /warm-?up steps|diffusion/.test(text)) return undefined;
  const examples = readField(text, fields.examples);
  const { batch, accumulation = 1, devices = 1 } = readBatch(text);
  if (examples === undefined && batch === undefined) return undefined;
  if (examples === undefined || batch === undefined) {
    if (!asksForNumber) return undefined;
    return missing({
      what: 'the number of steps',
      missing: [examples === undefined ? 'the number of examples' : 'the batch size'],
      example: 'steps for 10,000 examples, batch size 16, 3 epochs',
      section: 'hyperparameters#epochs',
    });
  }
  const effective = batch * accumulation * devices;
  const perEpoch = stepsPerEpoch(examples, effective);
  const epochs = readField(text, fields.epochs);
  const isSplit = effective !== batch;
  return computed({
    result:
      epochs === undefined
        ? `**${show(perEpoch)} steps an epoch**.`
        : `**${show(perEpoch * epochs)} steps in all**: ${show(perEpoch)} an epoch × ${show(epochs)} epochs.`,
    working: [
      ...(isSplit ? [`effective batch = ${batch} × ${accumulation} × ${devices} = ${effective}`] : []),
      `steps per epoch = ⌈examples / batch⌉ = ⌈${show(examples)} / ${effective}⌉ = ${show(perEpoch)}`,
      ...(epochs === undefined ? [] : [`total = ${show(perEpoch)} × ${show(epochs)} = ${show(perEpoch * epochs)}`]),
    ],
    ...(examples % effective === 0
      ? {}
      : {
          note: `The last batch of an epoch holds ${show(examples % effective)}; with drop_last it is ${show(Math.floor(examples / effective))} steps an epoch.`,
        }),
    section: 'hyperparameters#epochs',
  });
};

export type Schedule = 'linear' | 'cosine' | 'constant';

/** Linear warmup from 0, then constant, or down to 0 at `total` along a line or half a cosine (as in Transformers). */
export function learningRateAt(schedule: Schedule, step: number, peak: number, warmup: number, total: number): number {
  if (step < warmup) return (peak * step) / warmup;
  const progress = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
  if (schedule === 'constant') return peak;
  return schedule === 'linear' ? peak * (1 - progress) : (peak * (1 + Math.cos(Math.PI * progress))) / 2;
}

export const schedule: Calculator = ({ text, asksForNumber }) => {
  if (!/\b(?:lr|learning rate|rate)\b/.test(text) || !/\bsteps?\b/.test(text)) return undefined;
  const at =
    /(?:at|after|in|on) step\s*(\d+(?:\.\d+)?k?)|step\s*(?:=|:)?\s*(\d+)(?!\s*(?:steps?|total))|after\s+(\d+)\s+steps/.exec(
      text,
    );
  const step = Number(at?.[1] ?? at?.[2] ?? at?.[3] ?? Number.NaN);
  const kind: Schedule | undefined = /cosine/.test(text)
    ? 'cosine'
    : /linear|decay/.test(text)
      ? 'linear'
      : /constant/.test(text)
        ? 'constant'
        : undefined;
  const peak = readField(text, {
    names:
      'peak(?: (?:lr|learning rate|rate))?|max(?:imum)? (?:lr|learning rate)|base lr|initial (?:lr|learning rate)|learning[ _]rate|lr|rate',
  });
  if (Number.isNaN(step) || (kind === undefined && !/warm/.test(text))) return undefined;
  const total = readTotal(text);
  const share =
    /(\d+(?:\.\d+)?)\s*(?:%|percent)\s*warm-?up|warm-?up(?:[_ ]ratio)?\s*(?:=|:|of)?\s*(\d+(?:\.\d+)?)\s*(?:%|percent)|warm-?up_ratio\s*[=:]?\s*(0?\.\d+)/.exec(
      text,
    );
  const warmupSteps =
    /(\d+)\s*(?:steps? of )?warm-?up(?: steps?)?|warm-?up(?:[_ ]steps)?\s*(?:=|:|of|for|is)?\s*(\d+)(?!\s*%|\.)/.exec(
      text,
    );
  const fraction = share ? (share[3] === undefined ? Number(share[1] ?? share[2]) / 100 : Number(share[3])) : undefined;
  const warmup =
    fraction !== undefined && total !== undefined
      ? fraction * total
      : Number(warmupSteps?.[1] ?? warmupSteps?.[2] ?? 0);
  const inWarmup = warmup > 0 && step < warmup;
  const lacking = [
    ...(peak === undefined ? ['the peak learning rate'] : []),
    ...(total === undefined && !inWarmup && kind !== 'constant' ? ['the total number of steps'] : []),
  ];
  if (peak === undefined || lacking.length > 0) {
    if (!asksForNumber) return undefined;
    return missing({
      what: 'the learning rate at that step',
      missing: lacking,
      example: 'learning rate at step 300 of 1000, cosine, peak 2e-4, 100 warmup steps',
      section: 'hyperparameters#schedules',
    });
  }
  const name = kind ?? 'constant';
  const value = learningRateAt(name, step, peak, warmup, total ?? Number.POSITIVE_INFINITY);
  const progress = total === undefined ? 0 : Math.min(1, (step - warmup) / (total - warmup));
  const line = inWarmup
    ? `warmup: peak × step / warmup = ${peak} × ${step} / ${show(warmup)} = ${show(value)}`
    : name === 'constant'
      ? `after warmup the rate stays at its peak: ${show(value)}`
      : name === 'linear'
        ? `peak × (1 − t) = ${peak} × (1 − ${show(progress)}) = ${show(value)}`
        : `peak × (1 + cos(π·t)) / 2 = ${peak} × (1 + cos(π · ${show(progress)})) / 2 = ${show(value)}`;
  return computed({
    result: `**The learning rate at step ${show(step)} is ${showRate(value)}**${inWarmup ? ', still in the warmup' : ''}.`,
    working: [
      ...(inWarmup || name === 'constant'
        ? []
        : [
            `t = (step − warmup) / (total − warmup) = (${step} − ${show(warmup)}) / (${show(total ?? 0)} − ${show(warmup)}) = ${show(progress)}`,
          ]),
      line,
    ],
    note: 'The schedule is taken to end at 0, as is usual.',
    section: 'hyperparameters#schedules',
  });
};

const showRate = (value: number) =>
  value !== 0 && value < 1e-2 ? value.toExponential(3).replace(/\.?0+e/, 'e') : show(value);

function readTotal(text: string): number | undefined {
  const match =
    /step\s*\d+\s*(?:of|out of|\/)\s*(\d+)|(?:total|over|all|max|in all|for|of)\s*(?:of\s*)?(?:=|:)?\s*(\d+)\s*(?:training |total )?steps?|total(?:[_ ]steps)?\s*(?:=|:|of|is)?\s*(\d+)|(\d+)\s*(?:total|training)\s*steps?|(\d+)\s+steps?\s+(?:in all|total|in total|training)/.exec(
      text,
    );
  const written = match?.slice(1).find((group) => group !== undefined);
  return written === undefined ? undefined : Number(written);
}

export const trainingTime: Calculator = ({ text }) => {
  if (!/how long|time|duration|hours|minutes|eta\b/.test(text)) return undefined;
  const perSecond = /(\d+(?:\.\d+)?)\s*(?:steps?|it(?:erations?)?|its?)\s*(?:\/|per |a )\s*s(?:ec(?:ond)?)?\b/.exec(
    text,
  );
  const perStep =
    /(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|sec(?:onds?)?)\s*(?:\/|per |a )\s*(?:step|it(?:eration)?)\b/.exec(text);
  if (!perSecond && !perStep) return undefined;
  const rateText = (perSecond ?? perStep)?.[0] ?? '';
  const rest = text.replace(rateText, ' ');
  const examples = readField(rest, fields.examples);
  const { batch, accumulation = 1, devices = 1 } = readBatch(rest);
  const epochs = readField(rest, fields.epochs);
  const given = readField(rest, fields.steps);
  const perEpoch =
    examples !== undefined && batch !== undefined ? stepsPerEpoch(examples, batch * accumulation * devices) : undefined;
  const count = perEpoch === undefined ? given : perEpoch * (epochs ?? 1);
  if (count === undefined) {
    return missing({
      what: 'the training time',
      missing: ['the number of steps (or examples, batch size and epochs)'],
      example: 'how long do 3,000 steps take at 2.5 steps/s',
      section: 'fine-tuning#cost',
    });
  }
  const seconds = perSecond
    ? count / Number(perSecond[1])
    : (count * Number(perStep?.[1])) / (perStep?.[2]?.startsWith('m') ? 1000 : 1);
  return computed({
    result: `**About ${showSeconds(seconds)}** for ${show(count)} steps.`,
    working: [
      ...(perEpoch === undefined
        ? []
        : [
            `steps = ⌈${show(examples ?? 0)} / ${show((batch ?? 1) * accumulation * devices)}⌉ × ${epochs ?? 1} = ${show(count)}`,
          ]),
      perSecond
        ? `time = ${show(count)} / ${perSecond[1]} per second = ${show(seconds)} s`
        : `time = ${show(count)} × ${perStep?.[1]} ${perStep?.[2]} = ${show(seconds)} s`,
    ],
    note: 'Evaluation, checkpoints and loading come on top.',
    section: 'fine-tuning#cost',
  });
};
