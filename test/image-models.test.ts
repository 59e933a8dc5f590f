// Models of images against independent ones in PyTorch (test/oracle wrote the fixtures): forward and every gradient.
import { expect, test } from 'vitest';
import { createMobilenetV2 } from '../engine/models/mobilenet-v2.ts';
import { createResnet } from '../engine/models/resnet.ts';
import mobilenetJson from './oracle/fixtures/mobilenet-v2.json' with { type: 'json' };
import resnetJson from './oracle/fixtures/resnet.json' with { type: 'json' };
import { expectModelAgrees, image_oracle } from './support/image-oracle.ts';

test('ResNet agrees with PyTorch to 1e-4: basic and bottleneck, statistics frozen and of the batch', async () => {
  const fixture = image_oracle.parse(resnetJson);
  expect(fixture.cases.map(({ training }) => training)).toEqual([false, true, false, true]);
  await expectModelAgrees(createResnet, fixture);
});

test('MobileNetV2 agrees with PyTorch to 1e-4: TensorFlow’s padding and its own, strides turned into dilations', async () => {
  await expectModelAgrees(createMobilenetV2, image_oracle.parse(mobilenetJson));
});

const sizes = {
  18: { layer_type: 'basic', depths: [2, 2, 2, 2], hidden_sizes: [64, 128, 256, 512] },
  34: { layer_type: 'basic', depths: [3, 4, 6, 3], hidden_sizes: [64, 128, 256, 512] },
  50: { layer_type: 'bottleneck', depths: [3, 4, 6, 3], hidden_sizes: [256, 512, 1024, 2048] },
  101: { layer_type: 'bottleneck', depths: [3, 4, 23, 3], hidden_sizes: [256, 512, 1024, 2048] },
};
/** As torchvision counts them, for 1,000 classes. */
const published = { 18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160 };

for (const depth of [18, 34, 50, 101] as const) {
  test(`ResNet-${depth} has the published number of parameters`, () => {
    const model = createResnet({ model_type: 'resnet', ...sizes[depth] }, 'config.json');
    const specs = model.parameters({ kind: 'classification', labels: 1000 });
    const trained = [...specs.values()].filter(({ isBuffer }) => !isBuffer);
    const count = trained.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
    expect(count).toBe(published[depth]);
  });
}
