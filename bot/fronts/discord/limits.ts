// What Discord allows, as data. Characters are UTF-16 units, sizes are bytes, times are milliseconds.

export const limits = {
  message: { components: 40, textCharacters: 4000, contentCharacters: 2000, files: 10, fileBytes: 10 * 1024 * 1024 },
  button: { labelCharacters: 80, perRow: 5 },
  select: { options: 25, placeholderCharacters: 150 },
  option: { labelCharacters: 100, valueCharacters: 100, descriptionCharacters: 100 },
  customId: { characters: 100 },
  gallery: { items: 10, descriptionCharacters: 1024 },
  modal: { titleCharacters: 45, labels: 5, labelCharacters: 45, descriptionCharacters: 100 },
  textInput: { valueCharacters: 4000, placeholderCharacters: 100 },
  radio: { leastOptions: 2, options: 10 },
  checkboxes: { options: 10 },
  thread: { nameCharacters: 100 },
  autocomplete: { choices: 25, nameCharacters: 100, valueCharacters: 100 },
  command: { nameCharacters: 32, descriptionCharacters: 100, localizations: 34 },
  nonce: { characters: 25 },
  interaction: {
    /** An interaction not acknowledged by then is lost. */
    acknowledgeMs: 3000,
    /** What has to be looked up before the acknowledgement (a modal, suggestions) is waited for so long. */
    lookUpMs: 1500,
    /** Its token serves for 15 minutes; a little less, for what is under way. */
    tokenMs: 14.5 * 60_000,
  },
  edit: {
    /** Edits of messages older than an hour are capped (error 30046); live cards move on before that. */
    liveMs: 55 * 60_000,
    cadenceMs: 2000,
  },
  /** 10,000 refused requests (401, 403, 429) in ten minutes get an address banned: stop long before. */
  refused: { requests: 500, windowMs: 10 * 60_000, coolDownMs: 60_000 },
} as const;
