// A link inside the guide is written `guide:chapter-id#section-id`; without `#section-id` it means the overview.

export const overviewId = 'overview';

export interface GuideLink {
  readonly chapterId: string;
  readonly sectionId: string;
}

/** @returns undefined when `url` is no link into the guide. */
export function parseGuideLink(url: string): GuideLink | undefined {
  const match = /^guide:([a-z0-9-]+)(?:#([a-z0-9-]+))?$/.exec(url);
  return match?.[1] === undefined ? undefined : { chapterId: match[1], sectionId: match[2] ?? overviewId };
}
