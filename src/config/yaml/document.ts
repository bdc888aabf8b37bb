// The yaml package's parser, but for one thing in which it is stricter than PyYAML.
import { Composer, Lexer, Parser, YAMLParseError } from 'yaml';
import type { Document, DocumentOptions, LineCounter, ParseOptions, SchemaOptions } from 'yaml';

export type YamlOptions = ParseOptions & DocumentOptions & SchemaOptions & { readonly lineCounter: LineCounter };

/** The first document of a text; a second one is an error of it. */
export function readDocument(text: string, options: YamlOptions): Document.Parsed {
  const { lineCounter } = options;
  const parser = new Parser(lineCounter.addNewLine);
  const documents = new Composer(options).compose(tokensOf(text, parser, lineCounter), true, text.length);
  const [first, second] = [documents.next().value, documents.next().value];
  // With `forceDoc` there always is one.
  if (first === undefined) throw new Error('the YAML parser made no document');
  const document = first;
  if (second !== undefined) {
    const [from, to] = second.range;
    document.errors.push(new YAMLParseError([from, to], 'MULTIPLE_DOCS', 'Source contains multiple documents'));
  }
  return document;
}

function* tokensOf(text: string, parser: Parser, lineCounter: LineCounter): ReturnType<Parser['parse']> {
  lineCounter.addNewLine(0);
  for (const lexeme of freeFlowLexer().lex(text)) yield* parser.next(lexeme);
  yield* parser.end();
}

/**
 * Inside of `{}` and `[]` indentation means nothing to PyYAML, and so to Ansible: `}` may stand in any column. The package
 * ends a flow collection at a line that is indented less than what it stands in; within one there is no such line here.
 */
function freeFlowLexer(): Lexer {
  const lexer = new Lexer();
  const own = lexer as unknown as { indentNext: number; parseFlowCollection(): Generator<string, unknown> };
  const parseFlow = own.parseFlowCollection.bind(lexer);
  const parseFreely = function* (): Generator<string, unknown> {
    const indent = own.indentNext;
    own.indentNext = 0;
    try {
      return yield* parseFlow();
    } finally {
      own.indentNext = indent;
    }
  };
  Object.assign(lexer, { parseFlowCollection: parseFreely });
  return lexer;
}
