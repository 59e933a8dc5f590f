// Whose picture it is, where the file name says so: several X-rays of one person must not stand on both sides of a split.

/** Known ways of naming chest X-rays; the first group is the person. */
const patient_patterns: readonly RegExp[] = [
  // Kermany et al. 2018: person12_bacteria_47.jpeg; NORMAL2-IM-1018-0001.jpeg, IM-0115-0001-0002.jpeg
  /^(person\d+)_/i,
  /^((?:normal\d*-)?im-\d+)-\d+/i,
  // CheXpert keeps a folder for each: patient00001/study1/view1_frontal.jpg
  /(?:^|\/)(patient[-_]?\d+)(?=[-_/])/i,
  // ChestX-ray14: 00000013_005.png
  /^(\d{8})_\d{3}\./,
];

/** @param parts folders and name of a file. @returns the person's id, where one of the known patterns finds it. */
export function patientOf(parts: readonly string[]): string | undefined {
  const name = parts.at(-1) ?? '';
  const path = parts.join('/');
  for (const pattern of patient_patterns) {
    const id = pattern.exec(name)?.[1] ?? pattern.exec(path)?.[1];
    if (id !== undefined) return id.toLowerCase();
  }
  return undefined;
}
