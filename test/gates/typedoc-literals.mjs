// A typedoc plugin: members of a type written in place, such as those of a union, are described by the type they are
// part of. Without it each of them would want a sentence of its own, as the members of interfaces and classes do.
import { Comment, Converter, ReflectionKind } from 'typedoc';

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_END, (context) => {
    for (const reflection of context.project.getReflectionsByKind(ReflectionKind.All)) {
      if (isInLiteral(reflection) && !reflection.hasComment()) {
        reflection.comment = new Comment([{ kind: 'text', text: 'See the type around it.' }]);
      }
    }
  });
}

/** @param {import('typedoc').Reflection} reflection */
function isInLiteral(reflection) {
  for (let each = reflection.parent; each !== undefined; each = each.parent) {
    if (each.kindOf(ReflectionKind.TypeLiteral)) return true;
  }
  return false;
}
