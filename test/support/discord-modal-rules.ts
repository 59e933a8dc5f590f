// What Discord refuses in a modal, by hand from its documentation.
import { z } from 'zod';
import { customId, distinctOptions, id, invalid, option, select, textDisplay } from './discord-rules.ts';

const radioOption = option.omit({ emoji: true });
const inLabel = z.union([
  z.strictObject({
    type: z.literal(4),
    id,
    custom_id: customId,
    style: z.union([z.literal(1), z.literal(2)]),
    min_length: z.number().int().min(0).max(4000).optional(),
    max_length: z.number().int().min(1).max(4000).optional(),
    required: z.boolean().optional(),
    value: z.string().max(4000).optional(),
    placeholder: z.string().max(100).optional(),
  }),
  select,
  z.strictObject({
    type: z.literal(19),
    id,
    custom_id: customId,
    min_values: z.number().int().min(0).max(10).optional(),
    max_values: z.number().int().min(1).max(10).optional(),
    required: z.boolean().optional(),
  }),
  z
    .strictObject({
      type: z.literal(21),
      id,
      custom_id: customId,
      options: z.array(radioOption).min(2).max(10),
      required: z.boolean().optional(),
    })
    .superRefine(distinctOptions),
  z
    .strictObject({
      type: z.literal(22),
      id,
      custom_id: customId,
      options: z.array(radioOption).min(1).max(10),
      min_values: z.number().int().min(0).max(10).optional(),
      max_values: z.number().int().min(1).max(10).optional(),
      required: z.boolean().optional(),
    })
    .superRefine(distinctOptions)
    .superRefine(({ options, min_values = 1, max_values = options.length, required = true }, context) => {
      const problems = [
        ...(min_values > max_values ? ['min_values is above max_values'] : []),
        ...(max_values > options.length ? ['max_values is above the number of options'] : []),
        ...(min_values === 0 && required ? ['min_values 0 needs required: false'] : []),
        ...(options.filter((option) => option.default).length > max_values ? ['too many defaults'] : []),
      ];
      for (const message of problems) context.addIssue({ code: 'custom', message });
    }),
]);
const label = z.strictObject({
  type: z.literal(18),
  id,
  label: z.string().min(1).max(45),
  description: z.string().min(1).max(100).optional(),
  component: inLabel,
});
const modal = z
  .strictObject({
    custom_id: customId,
    title: z.string().min(1).max(45),
    components: z
      .array(z.union([label, textDisplay]))
      .min(1)
      .max(5),
  })
  .superRefine(({ components }, context) => {
    const ids = components.flatMap((one) => (one.type === 18 ? [one.component.custom_id] : []));
    if (new Set(ids).size !== ids.length)
      context.addIssue({ code: 'custom', message: 'COMPONENT_CUSTOM_ID_DUPLICATED' });
    for (const one of components) {
      if (one.type !== 18 || one.component.type !== 4) continue;
      const { value = '', max_length = 4000 } = one.component;
      if (value.length > max_length)
        context.addIssue({ code: 'custom', message: `${one.label}: its value is longer than it may be` });
    }
  });
export type Modal = z.output<typeof modal>;

export function checkModal(data: unknown): Modal {
  const read = modal.safeParse(data);
  if (!read.success) throw invalid(read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  return read.data;
}
