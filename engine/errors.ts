// The one kind of error a person sees: it says what was wrong, with the value, and what to do next.

/** An error caused by what a person gave us. `message` names what was wrong and the value; `hint` says what to do. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}
