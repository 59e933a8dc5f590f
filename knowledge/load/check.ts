// For writers: `npm run guide:check [folder]` loads the guide and prints its counts, or every problem it has.
import { readGuide } from './guide.ts';
import { GuideError } from './problem.ts';
import { shippedGuide } from './remembered.ts';

try {
  const guide = await readGuide(process.argv[2] ?? shippedGuide);
  for (const { id, sections } of guide.chapters) {
    const passages = guide.passages.filter((passage) => passage.chapterId === id).length;
    const items = guide.quizItems.filter((item) => item.chapterId === id).length;
    console.log(`${id}: ${sections.length} sections, ${passages} passages, ${items} quiz items`);
  }
  console.log(`${guide.chapters.length} chapters, no problems`);
} catch (error) {
  if (!(error instanceof GuideError)) throw error;
  console.error(error.message);
  console.error(`${error.problems.length} problem${error.problems.length === 1 ? '' : 's'}`);
  process.exitCode = 1;
}
