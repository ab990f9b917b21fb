declare module 'asl-validator' {
  /** Validates a state machine definition; errors as text, one a line. */
  export default function validate(definition: unknown): {
    isValid: boolean;
    errorsText: (separator?: string) => string;
  };
}
