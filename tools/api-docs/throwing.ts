import * as ast from "typescript/unstable/ast";

/** The functions and methods of a file that let an exception out: by a `throw`, or by a call within the file. */
export function throwingFunctions(file: ast.SourceFile): ReadonlySet<ast.Node> {
  const bodies = new Map<ast.Node, { throws: boolean; calls: string[]; scope: ast.Node }>();
  const visit = (node: ast.Node): void => {
    if (isCallable(node)) bodies.set(node, { ...inspect(node), scope: scopeOf(node) });
    node.forEachChild(visit);
  };
  visit(file);
  const throwing = new Set([...bodies].filter(([, { throws }]) => throws).map(([node]) => node));
  for (let before = -1; before !== throwing.size; ) {
    before = throwing.size;
    const names = new Map([...throwing].map((node) => [keyOf(node), scopeOf(node)]));
    for (const [node, { calls, scope }] of bodies) {
      if (calls.some((name) => names.has(name) && (!name.startsWith("this.") || names.get(name) === scope))) {
        throwing.add(node);
      }
    }
  }
  return throwing;
}

/** Whether a body throws outside of any `try` with a `catch`, and what of its file or class it calls there. */
function inspect(callable: ast.Node): { throws: boolean; calls: string[] } {
  let throws = false;
  const calls: string[] = [];
  const visit = (node: ast.Node): void => {
    if (
      isCallable(node) ||
      ast.isArrowFunction(node) ||
      ast.isFunctionExpression(node) ||
      ast.isClassLikeDeclaration(node)
    )
      return;
    if (ast.isThrowStatement(node)) throws = true;
    if (ast.isCallExpression(node)) calls.push(node.expression.getText());
    if (ast.isTryStatement(node) && node.catchClause !== undefined) {
      visit(node.catchClause);
      if (node.finallyBlock) visit(node.finallyBlock);
    } else node.forEachChild(visit);
  };
  callable.forEachChild(visit);
  return { throws, calls };
}

function isCallable(node: ast.Node): node is ast.FunctionDeclaration | ast.MethodDeclaration {
  return (
    ast.isFunctionDeclaration(node) ||
    ast.isMethodDeclaration(node) ||
    ast.isConstructorDeclaration(node) ||
    ast.isGetAccessorDeclaration(node) ||
    ast.isSetAccessorDeclaration(node)
  );
}

/** How a call within the file names it. */
function keyOf(node: ast.Node): string {
  const name = (node as Partial<ast.FunctionDeclaration>).name?.getText() ?? "constructor";
  return ast.isFunctionDeclaration(node) ? name : `this.${name}`;
}

function scopeOf(node: ast.Node): ast.Node {
  return node.parent;
}
