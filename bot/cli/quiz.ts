// `finetutor quiz export`: every question, for reading or for other programs.
import { loadGuide } from '../../knowledge/index.ts';
import { printJson, printWords } from './print.ts';

export async function exportQuiz({ json }: { json?: boolean }): Promise<void> {
  const { quizItems } = await loadGuide();
  if (json) {
    printJson(quizItems);
    return;
  }
  for (const { id, question, choices, correctChoiceId } of quizItems) {
    const listed = choices.map((choice) => `  ${choice.id === correctChoiceId ? '✓' : ' '} ${choice.text}`);
    printWords([`${id}: ${question}`, ...listed, ''].join('\n'));
  }
}
