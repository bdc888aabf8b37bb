using System.Management.Automation.Language;

namespace Fettle.Checks;

internal sealed record Finding(string File, int Line, string Rule, string Words);

/// <summary>One file, parsed.</summary>
internal sealed record Part(string File, byte[] Bytes, ScriptBlockAst Tree, Token[] Tokens, ParseError[] Errors)
{
    public static Part Read(string file)
    {
        var tree = Parser.ParseFile(file, out var tokens, out var errors);
        return new Part(file, System.IO.File.ReadAllBytes(file), tree, tokens, errors);
    }

    public IEnumerable<T> All<T>() where T : Ast => Tree.FindAll(ast => ast is T, searchNestedScriptBlocks: true).Cast<T>();

    public Finding Finding(IScriptExtent extent, string rule, string words) => new(File, extent.StartLineNumber, rule, words);
}
