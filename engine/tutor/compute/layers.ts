// Output size and weights of a convolution, weights of a dense layer, rows of a split.
import { type Calculator, computed, missing } from './calculation.ts';
import { numbersIn, readField, readSizes } from './read-numbers.ts';
import { show } from './show.ts';

/** ⌊(n + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, as PyTorch's Conv2d documents it. */
export function convolutionSize(n: number, kernel: number, stride: number, padding: number, dilation = 1): number {
  return Math.floor((n + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

const fields = {
  kernel: { names: String.raw`kernel(?:[\s_-]?size)?|filter(?:[\s_-]?size)?|k|f` },
  stride: { names: 'stride|s' },
  padding: { names: 'padding|pad|p' },
  dilation: { names: 'dilation' },
  input: { names: String.raw`input(?:[\s_-]?(?:size|width|image))?|image(?: size)?|n|pixels?` },
  inChannels: { names: String.raw`in(?:put)?[\s_]?channels?|channels in|c_in` },
  outChannels: { names: String.raw`out(?:put)?[\s_]?channels?|filters|kernels|feature maps|channels out|c_out` },
} as const;

export const convolution: Calculator = ({ text, asksForNumber }) => {
  if (!/\bconv|\bkernel\b|\bstride\b/.test(text) || /svm|\brbf\b/.test(text)) return undefined;
  const section = 'neural-networks#cnn';
  const kernelSize =
    /(\d+)\s*x\s*(\d+)\s*(?:x\s*\d+\s*)?(?:kernel|filter|conv)|(?:kernel|filter|conv\w*)s?(?:\s*size)?\s*(?:=|of|:|with|is)?\s*(\d+)\s*x\s*(\d+)/.exec(
      text,
    );
  const kernel = Number(kernelSize?.[1] ?? kernelSize?.[3] ?? readField(text, fields.kernel) ?? Number.NaN);
  const sizes = readSizes(text).filter(([side]) => side !== kernel || !kernelSize);
  if (/param|weights/.test(text)) {
    const wideIn =
      readField(text, fields.inChannels) ??
      /(\d+)\s*(?:->|to|→)\s*(\d+)\s*channels?/.exec(text)?.[1] ??
      /from\s*(\d+)\s*(?:to|->)/.exec(text)?.[1];
    const wideOut =
      readField(text, { ...fields.outChannels, side: 'before' }) ?? /(?:->|to|→)\s*(\d+)\s*channels?/.exec(text)?.[1];
    const [inputs, outputs] = [Number(wideIn ?? Number.NaN), Number(wideOut ?? Number.NaN)];
    if (Number.isNaN(kernel) && Number.isNaN(inputs) && Number.isNaN(outputs)) return undefined;
    if ([kernel, inputs, outputs].some(Number.isNaN)) {
      return missing({
        what: "a convolution's parameters",
        missing: [
          ...(Number.isNaN(kernel) ? ['the kernel size'] : []),
          ...(Number.isNaN(inputs) ? ['the input channels'] : []),
          ...(Number.isNaN(outputs) ? ['the output channels (filters)'] : []),
        ],
        example: 'conv parameters for kernel 3x3, 64 input channels, 128 output channels',
        section,
      });
    }
    const weights = kernel * kernel * inputs * outputs;
    const hasBias = !/no bias|without bias|bias\s*=\s*false/.test(text);
    return computed({
      result: `**${show(weights + (hasBias ? outputs : 0))} parameters**${hasBias ? `, ${show(outputs)} of them biases` : ' without biases'}.`,
      working: [
        `kernel² · in · out${hasBias ? ' + out' : ''} = ${kernel}² · ${inputs} · ${outputs}${hasBias ? ` + ${outputs}` : ''} = ${show(weights + (hasBias ? outputs : 0))}`,
      ],
      section,
    });
  }
  const input = sizes.at(-1)?.[0] ?? readField(text, fields.input);
  const stride = readField(text, fields.stride);
  const padding =
    readField(text, fields.padding) ?? (/\bsame\b/.test(text) && !Number.isNaN(kernel) ? (kernel - 1) / 2 : undefined);
  const given = [input, Number.isNaN(kernel) ? undefined : kernel, stride, padding].filter(
    (value) => value !== undefined,
  ).length;
  if (given < 2 && !(given === 1 && asksForNumber)) return undefined;
  if (input === undefined || Number.isNaN(kernel)) {
    return missing({
      what: "a convolution's output size",
      missing: [
        ...(input === undefined ? ['the input size'] : []),
        ...(Number.isNaN(kernel) ? ['the kernel size'] : []),
      ],
      example: 'conv output for input 224, kernel 7, stride 2, padding 3',
      section,
    });
  }
  const dilation = readField(text, fields.dilation) ?? 1;
  const size = convolutionSize(input, kernel, stride ?? 1, padding ?? 0, dilation);
  const assumed = [...(stride === undefined ? ['stride 1'] : []), ...(padding === undefined ? ['padding 0'] : [])];
  return computed({
    result: `**The output is ${size} × ${size}**.`,
    working: [
      dilation === 1
        ? `⌊(n + 2·padding − kernel) / stride⌋ + 1 = ⌊(${input} + ${2 * (padding ?? 0)} − ${kernel}) / ${stride ?? 1}⌋ + 1 = ${size}`
        : `⌊(n + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1 = ⌊(${input} + ${2 * (padding ?? 0)} − ${dilation}·${kernel - 1} − 1) / ${stride ?? 1}⌋ + 1 = ${size}`,
    ],
    ...(assumed.length > 0 ? { note: `Not given, so taken: ${assumed.join(' and ')}.` } : {}),
    section,
  });
};

export const denseParameters: Calculator = ({ text }) => {
  if (
    !/param|weights/.test(text) ||
    !/\b(?:dense|linear layer|fully[\s-]connected|mlp|feed[\s-]?forward|network)\b/.test(text) ||
    /\blora\b|\bconv/.test(text)
  )
    return undefined;
  const arrow = /\d+(?:\s*(?:->|→|-|x)\s*\d+)+/.exec(text)?.[0];
  const widths = arrow ? arrow.split(/\s*(?:->|→|-|x)\s*/).map(Number) : widthsIn(text);
  if (widths.length < 2 || widths.some((width) => !Number.isInteger(width) || width <= 0)) return undefined;
  const layers = widths.slice(1).map((outputs, index) => ({ inputs: widths[index] ?? 0, outputs }));
  const hasBias = !/no bias|without bias/.test(text);
  const counts = layers.map(({ inputs, outputs }) => inputs * outputs + (hasBias ? outputs : 0));
  const total = counts.reduce((a, b) => a + b, 0);
  return computed({
    result: `**${show(total)} parameters**${hasBias ? ', biases included' : ''}.`,
    working: [
      ...layers.map(
        ({ inputs, outputs }, index) =>
          `${inputs} → ${outputs}: ${inputs} · ${outputs}${hasBias ? ` + ${outputs}` : ''} = ${show(counts[index] ?? 0)}`,
      ),
      ...(layers.length > 1 ? [`sum = ${show(total)}`] : []),
    ],
    section: 'neural-networks#layers',
  });
};

function widthsIn(text: string): readonly number[] {
  const inputs = readField(text, { names: 'inputs?|in_features|input features|features', side: 'before' });
  const hidden = readField(text, { names: '(?:hidden )?(?:units|neurons)|hidden', side: 'before' });
  const outputs = readField(text, { names: 'outputs?|out_features|classes', side: 'before' });
  return [inputs, hidden, outputs].flatMap((width) => width ?? []);
}

/** Whole rows: the first parts rounded, the last takes what is left. */
function splitRows(rows: number, shares: readonly number[]): readonly number[] {
  const total = shares.reduce((a, b) => a + b, 0);
  const counts = shares.slice(0, -1).map((share) => Math.round((rows * share) / total));
  return [...counts, rows - counts.reduce((a, b) => a + b, 0)];
}

export const splits: Calculator = ({ text, asksForNumber }) => {
  if (!/\bsplit|\btrain\b.*\b(?:val|test)|\bfolds?\b/.test(text)) return undefined;
  const section = 'data-preparation#splitting';
  const rows = readField(text, {
    names:
      '(?:training |labell?ed )?(?:rows?|examples?|samples?|images?|records?|instances?|data ?points?|texts?|sentences?|reviews?)|dataset(?: of)?|n',
    side: 'before',
  });
  const folds = /(\d+)[\s-]*folds?/.exec(text)?.[1];
  if (folds !== undefined && rows !== undefined && asksForNumber) {
    const k = Number(folds);
    return computed({
      result: `**About ${show(rows / k)} rows in each fold**: train on ${show(rows - Math.round(rows / k))}, validate on ${show(Math.round(rows / k))}, ${k} times.`,
      working: [`${show(rows)} / ${k} = ${show(rows / k)}`],
      section: 'overfitting-underfitting#splits-and-cross-validation',
    });
  }
  const ratio =
    /(?<![\d.])(0?\.\d+|\d{1,3})\s*%?\s*[/:,-]\s*(0?\.\d+|\d{1,2})\s*%?(?:\s*[/:,-]\s*(0?\.\d+|\d{1,2})\s*%?)?(?![\d.])/.exec(
      text,
    );
  const shares = ratio?.slice(1).flatMap((share) => (share === undefined ? [] : [Number(share)])) ?? [];
  const total = shares.reduce((a, b) => a + b, 0);
  if (
    shares.length < 2 ||
    !(Math.abs(total - 100) < 1 || Math.abs(total - 1) < 0.01 || (total === 10 && shares.every(Number.isInteger)))
  )
    return undefined;
  if (rows === undefined) {
    const plain = numbersIn(text).find((value) => value >= 20 && !shares.includes(value));
    if (plain === undefined)
      return asksForNumber
        ? missing({
            what: 'the split',
            missing: ['the number of rows'],
            example: '80/10/10 split of 10,000 rows',
            section,
          })
        : undefined;
    return splitOf(plain, shares);
  }
  return splitOf(rows, shares);
};

function splitOf(rows: number, shares: readonly number[]) {
  const counts = splitRows(rows, shares);
  const names = shares.length === 2 ? ['train', 'test'] : ['train', 'validation', 'test'];
  return computed({
    result: `**${counts.map((count, index) => `${names[index] ?? 'rest'} ${show(count)}`).join(', ')}**.`,
    working: counts.map(
      (count, index) =>
        `${names[index] ?? 'rest'} = ${show(rows)} × ${shares[index]}/${shares.reduce((a, b) => a + b, 0)} = ${show(count)}`,
    ),
    note: 'Rounded to whole rows; the last part takes what is left. Split by group or time where rows belong together.',
    section: 'data-preparation#splitting',
  });
}
