// The shapes of Fluent, as far as the pages use them.
export class FluentResource {
  constructor(source: string);
}

export class FluentBundle {
  constructor(locale: string, options?: { useIsolating?: boolean });
  addResource(resource: FluentResource): Error[];
  getMessage(id: string): { value: object | null } | undefined;
  formatPattern(pattern: object, args?: Record<string, unknown>, errors?: Error[]): string;
}
