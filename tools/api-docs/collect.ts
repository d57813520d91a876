import { join, relative } from "node:path";
import * as ast from "typescript/unstable/ast";
import {
  API,
  type Checker,
  ModifierFlags,
  type Symbol as ModuleSymbol,
  type Project,
  SymbolFlags,
} from "typescript/unstable/sync";
import type { ApiItem, ApiValue } from "./item.ts";
import { throwingFunctions } from "./throwing.ts";

/**
 * Everything that a package shows, once each, from the modules that its package.json exports under `source`.
 * `root` is the folder that the items' paths begin from; `folder` the package's, below it, with a tsconfig.json.
 */
export function collectApi(root: string, folder: string, entries: readonly string[]): ApiItem[] {
  const api = new API({ cwd: root });
  try {
    const config = join(root, folder, "tsconfig.json");
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
    if (project === undefined) throw new Error(`${config}: not a TypeScript project`);
    const collector = new Collector(root, project);
    for (const entry of entries) collector.addModule(join(root, folder, entry));
    return collector.items;
  } finally {
    api.close();
  }
}

type Signature = Pick<ast.FunctionDeclaration, "parameters" | "type">;

class Collector {
  readonly items: ApiItem[] = [];
  readonly #root: string;
  readonly #project: Project;
  readonly #checker: Checker;
  readonly #seen: Set<ast.Node> = new Set();
  readonly #throwing: Map<ast.SourceFile, ReadonlySet<ast.Node>> = new Map();

  constructor(root: string, project: Project) {
    this.#root = root;
    this.#project = project;
    this.#checker = project.checker;
  }

  addModule(path: string): void {
    const file = this.#project.program.getSourceFile(path);
    const module = file && this.#checker.getSymbolAtLocation(file);
    if (module === undefined) throw new Error(`${path}: no module with exports`);
    for (const symbol of this.#checker.getExportsOfModule(module)) {
      const nodes = this.#declarations(symbol);
      const doc = nodes.map(docOf).find((text) => text !== "") ?? "";
      for (const node of nodes) this.#addExport(node, doc);
    }
  }

  #declarations(symbol: ModuleSymbol): ast.Node[] {
    const target = symbol.flags & SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
    return target.declarations.flatMap((handle) => handle.resolve(this.#project) ?? []);
  }

  #addExport(node: ast.Node, doc: string): void {
    if (this.#seen.has(node)) return;
    this.#seen.add(node);
    const name = nameOf(node);
    if (ast.isFunctionDeclaration(node)) this.#add("export", node, name, doc, "", node);
    else if (ast.isTypeAliasDeclaration(node)) {
      this.#add("export", node, name, doc, "", ast.isFunctionTypeNode(node.type) ? node.type : undefined);
      this.#addFields(node.type, name, doc);
    } else if (ast.isVariableDeclaration(node)) {
      this.#add("export", node, name, doc, "", undefined, declared(name, node.type, node.initializer));
      if (node.type) this.#addFields(node.type, name, doc);
      const object = unwrapped(node.initializer);
      if (node.type === undefined && object && ast.isObjectLiteralExpression(object)) {
        for (const each of object.properties) this.#add("field", each, `${name}.${nameOf(each)}`, docOf(each), doc);
      }
    } else {
      this.#add("export", node, name, doc, "");
      if (ast.isInterfaceDeclaration(node) || ast.isClassDeclaration(node)) {
        for (const member of node.members) this.#addMember(member, node, name, doc);
      }
    }
  }

  #addMember(
    member: ast.TypeElement | ast.ClassElement,
    owner: ast.InterfaceDeclaration | ast.ClassDeclaration,
    prefix: string,
    around: string,
  ): void {
    const name = nameOf(member);
    if (name.startsWith("#") || hidden(member) || ast.isIndexSignatureDeclaration(member)) return;
    const full = `${prefix}.${name}`;
    const doc = docOf(member) || siblingDoc(member, owner) || this.#inheritedDoc(owner, name);
    if (ast.isConstructorDeclaration(member)) this.#add("constructor", member, full, docOf(member), around, member);
    else if (ast.isPropertySignatureDeclaration(member) || ast.isPropertyDeclaration(member)) {
      const signature = member.type && ast.isFunctionTypeNode(member.type) ? member.type : undefined;
      const value = declared(name, member.type, member.initializer);
      this.#add("member", member, full, doc, around, signature, signature ? undefined : value);
      if (member.type) this.#addFields(member.type, full, `${around}\n${doc}`);
    } else this.#add("member", member, full, doc, around, member as unknown as Signature);
  }

  /** Fields of types written in place, in unions too. */
  #addFields(type: ast.Node, prefix: string, around: string): void {
    if (ast.isTypeLiteralNode(type)) {
      const comments = `${around}\n${leadingComment(type)}`;
      for (const member of type.members) {
        const name = `${prefix}.${nameOf(member)}`;
        const inner = (member as ast.PropertySignatureDeclaration).type;
        this.#add(
          "field",
          member,
          name,
          docOf(member),
          comments,
          undefined,
          declared(nameOf(member), inner, undefined),
        );
        if (inner) this.#addFields(inner, name, `${comments}\n${docOf(member)}`);
      }
    } else if (ast.isUnionTypeNode(type) || ast.isIntersectionTypeNode(type)) {
      for (const each of type.types) this.#addFields(each, prefix, around);
    }
  }

  /** The comment of the same member of a class or interface that `owner` extends or implements. */
  #inheritedDoc(owner: ast.InterfaceDeclaration | ast.ClassDeclaration, name: string): string {
    for (const type of owner.heritageClauses?.flatMap((clause) => [...clause.types]) ?? []) {
      const symbol = ast.isExpressionWithTypeArguments(type) && this.#checker.getSymbolAtLocation(type.expression);
      if (!symbol) continue;
      for (const base of this.#declarations(symbol)) {
        if (!ast.isInterfaceDeclaration(base) && !ast.isClassDeclaration(base)) continue;
        const member = [...base.members].find((each) => nameOf(each) === name);
        const doc = member ? docOf(member) : this.#inheritedDoc(base, name);
        if (doc !== "") return doc;
      }
    }
    return "";
  }

  #add(
    kind: ApiItem["kind"],
    node: ast.Node,
    name: string,
    doc: string,
    around: string,
    signature?: Signature,
    value?: ApiValue,
  ): void {
    const file = node.getSourceFile();
    this.items.push({
      file: relative(this.#root, file.fileName),
      line: file.getLineAndCharacterOfPosition(node.getStart()).line + 1,
      name,
      kind,
      doc,
      around,
      head: /^\/\*\*.*?\*\//s.exec(file.text)?.[0] ?? "",
      optional: (node as Partial<ast.PropertySignatureDeclaration>).postfixToken?.kind === ast.SyntaxKind.QuestionToken,
      parameters: signature?.parameters.map(parameterOf) ?? [],
      value: signature ? declared("result", signature.type, undefined) : value,
      throws: this.#throwingIn(file).has(node),
    });
  }

  #throwingIn(file: ast.SourceFile): ReadonlySet<ast.Node> {
    const known = this.#throwing.get(file) ?? throwingFunctions(file);
    this.#throwing.set(file, known);
    return known;
  }
}

function nameOf(node: ast.Node): string {
  return (node as Partial<ast.FunctionDeclaration>).name?.getText() ?? "constructor";
}

function docOf(node: ast.Node): string {
  const holder = ast.isVariableDeclaration(node) ? node.parent.parent : node;
  return (holder.jsDoc?.at(-1)?.getText() ?? "").replace(/\s*\n\s*\*?\s*/g, " ");
}

/** The comment before a type written in place, which the compiler attaches to nothing. */
function leadingComment(node: ast.Node): string {
  const before = node.getSourceFile().text.slice(0, node.getStart());
  return /\/\*\*(?:(?!\*\/).)*\*\/\s*(?:\|\s*)?$/s.exec(before)?.[0] ?? "";
}

/** The comment of an overload, or of the other accessor. */
function siblingDoc(member: ast.Node, owner: ast.InterfaceDeclaration | ast.ClassDeclaration): string {
  const same = [...owner.members].filter((each) => nameOf(each) === nameOf(member));
  return same.map(docOf).find((doc) => doc !== "") ?? "";
}

function hidden(node: ast.Node): boolean {
  const flags = (node as Partial<ast.MethodDeclaration>).modifierFlags ?? 0;
  return (flags & (ModifierFlags.Private | ModifierFlags.Protected)) !== 0;
}

function parameterOf(parameter: ast.ParameterDeclaration): ApiValue {
  return {
    ...declared(parameter.name.getText(), parameter.type, parameter.initializer),
    optional: parameter.questionToken !== undefined || parameter.initializer !== undefined,
  };
}

function declared(name: string, type: ast.Node | undefined, initializer: ast.Node | undefined): ApiValue {
  return { name, type: type?.getText() ?? literalType(initializer), optional: false };
}

/** The type of a value that a member without a written type begins with: only these two kinds matter. */
function literalType(node: ast.Node | undefined): string {
  if (node === undefined) return "";
  if (ast.isStringLiteral(node)) return node.getText();
  return ast.isNumericLiteral(node) || ast.isPrefixUnaryExpression(node) ? "number" : "";
}

/** Without `as const` and `satisfies`. */
function unwrapped(node: ast.Node | undefined): ast.Node | undefined {
  if (node === undefined) return undefined;
  return ast.isAsExpression(node) || ast.isSatisfiesExpression(node) ? unwrapped(node.expression) : node;
}
