// What the roadmap offers the conversation: where somebody stands, and marks for what they have read and built.
import { and, count, eq, inArray, isNotNull, sql } from 'drizzle-orm';
import type { Guide, Phase } from '../../knowledge/index.ts';
import type { Picture, Pictures } from '../charts/pictures.ts';
import { renderPng } from '../charts/render.ts';
import { roadmapChart } from '../charts/roadmap.ts';
import { UserError } from '../errors.ts';
import type { Database } from '../store/client.ts';
import { quizAttempts, quizSessions, studyMarks } from '../store/schema.ts';
import { findChapter, nearestChapters } from './find-chapter.ts';
import type { Member } from './review-cards.ts';
import type { Reviews } from './reviews.ts';
import { type Standing, standOn } from './roadmap-standing.ts';

/** Sections that one mark is set on. */
interface Marked {
  readonly chapterId: string;
  readonly title: string;
  /** `chapter#section`, or `chapter` for all of its sections: what to name to take the mark back. */
  readonly what: string;
}

export interface Roadmap {
  readonly phases: readonly Phase[];
  standing(member: Member): Promise<Standing>;
  /**
   * Marks a section (`chapter#section`) or a whole chapter as read, or takes that back; twice is as good as once.
   * @throws UserError for what the guide does not have.
   */
  markRead(member: Member, what: string, read: boolean): Promise<Marked>;
  /** The same for a phase's piece of work. @param typed id, title or number of a phase. @throws UserError for an unknown one. */
  markBuilt(member: Member, typed: string, built: boolean): Promise<Phase>;
  /** @throws UserError for an unknown phase, naming all. */
  find(typed: string): Phase;
  draw(standing: Standing): Promise<{ readonly picture: Picture; readonly alt: string }>;
}

export interface RoadmapOptions {
  readonly db: Database;
  readonly guide: Pick<Guide, 'chapters' | 'section' | 'chapter' | 'quizItems' | 'phases'>;
  readonly reviews: Pick<Reviews, 'progress'>;
  readonly pictures: Pick<Pictures, 'put'>;
  readonly now: () => Date;
}

export function createRoadmap({ db, guide, reviews, pictures, now }: RoadmapOptions): Roadmap {
  const phases = guide.phases ?? [];
  const questions = new Map<string, number>();
  for (const { chapterId } of guide.quizItems) questions.set(chapterId, (questions.get(chapterId) ?? 0) + 1);

  const ofMember = ({ workspaceId, personId }: Member) =>
    and(eq(studyMarks.workspaceId, workspaceId), eq(studyMarks.personId, personId));

  async function set(member: Member, kind: 'read' | 'built', keys: readonly string[], on: boolean): Promise<void> {
    if (on) {
      const rows = keys.map((key) => ({ ...member, kind, key, markedAt: now() }));
      await db.insert(studyMarks).values(rows).onConflictDoNothing();
    } else {
      const those = and(ofMember(member), eq(studyMarks.kind, kind), inArray(studyMarks.key, [...keys]));
      await db.delete(studyMarks).where(those);
    }
  }

  async function readResults({ workspaceId, personId }: Member) {
    const rows = await db
      .select({
        chapterId: quizSessions.chapterId,
        total: count(),
        correct: sql`count(*) filter (where ${quizAttempts.correct})`.mapWith(Number),
      })
      .from(quizSessions)
      .innerJoin(quizAttempts, eq(quizAttempts.sessionId, quizSessions.id))
      .where(
        and(
          eq(quizSessions.workspaceId, workspaceId),
          eq(quizSessions.personId, personId),
          isNotNull(quizSessions.finishedAt),
        ),
      )
      .groupBy(quizSessions.id, quizSessions.chapterId);
    return rows.flatMap(({ chapterId, total, correct }) => (chapterId === null ? [] : [{ chapterId, total, correct }]));
  }

  const find = (typed: string): Phase => {
    const wanted = typed
      .toLowerCase()
      .replace(/^phase\s*/, '')
      .trim();
    const number = /^\d+$/.test(wanted) ? Number(wanted) : undefined;
    const phase = number === undefined ? findChapter(phases, wanted) : phases[number - 1];
    if (phase) return phase;
    throw new UserError(
      `The roadmap has no phase ${JSON.stringify(typed.slice(0, 80))}.`,
      `Its phases: ${phases.map(({ title }, index) => `${index + 1} ${title}`).join(', ')}.`,
    );
  };

  return {
    phases,
    find,

    async draw(standing) {
      const { svg, alt } = roadmapChart(standing);
      return { picture: await pictures.put((await renderPng(svg)).png), alt };
    },

    async standing(member) {
      const [marks, quizzes, { chapters }] = await Promise.all([
        db.select().from(studyMarks).where(ofMember(member)),
        readResults(member),
        reviews.progress(member),
      ]);
      const marked = (wanted: 'read' | 'built') =>
        new Set(marks.filter(({ kind }) => kind === wanted).map(({ key }) => key));
      return standOn(
        { phases, chapters: guide.chapters, questions },
        {
          read: marked('read'),
          built: marked('built'),
          quizzes,
          due: new Map(chapters.map(({ chapterId, due }) => [chapterId, due])),
        },
      );
    },

    async markRead(member, what, read) {
      const [typed = '', sectionId] = what.split('#');
      const chapter = guide.chapter(typed) ?? findChapter(guide.chapters, typed);
      const section = chapter && sectionId !== undefined ? guide.section(chapter.id, sectionId) : undefined;
      if (!chapter || (sectionId !== undefined && !section)) {
        const nearest = nearestChapters(guide.chapters, typed).slice(0, 3);
        throw new UserError(
          `The guide has no chapter or section ${JSON.stringify(what.slice(0, 80))}.`,
          `Nearest: ${nearest.map(({ id }) => id).join(', ')}.`,
        );
      }
      const sections = section ? [section] : chapter.sections;
      await set(
        member,
        'read',
        sections.map(({ id }) => `${chapter.id}#${id}`),
        read,
      );
      const title = section ? `${chapter.title} › ${section.title}` : chapter.title;
      return { chapterId: chapter.id, title, what: section ? `${chapter.id}#${section.id}` : chapter.id };
    },

    async markBuilt(member, typed, built) {
      const phase = find(typed);
      await set(member, 'built', [phase.id], built);
      return phase;
    },
  };
}
