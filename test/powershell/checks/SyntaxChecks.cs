using System.Management.Automation.Language;
using System.Text.RegularExpressions;

namespace Fettle.Checks;

/// <summary>What Windows PowerShell 5.1 cannot parse, or reads in another way.</summary>
internal static partial class SyntaxChecks
{
    private static readonly Dictionary<TokenKind, string> NewTokens = new()
    {
        [TokenKind.QuestionQuestion] = "??",
        [TokenKind.QuestionQuestionEquals] = "??=",
        [TokenKind.QuestionDot] = "?.",
        [TokenKind.QuestionLBracket] = "?[",
        [TokenKind.QuestionMark] = "? :",
        [TokenKind.AndAnd] = "&&",
        [TokenKind.OrOr] = "||",
    };

    public static IEnumerable<Finding> Of(Part part) =>
        [.. Bytes(part), .. Errors(part), .. Tokens(part), .. Trees(part), .. Paths(part)];

    /// A file without a byte order mark is read in the code page of the machine.
    private static IEnumerable<Finding> Bytes(Part part)
    {
        var at = Array.FindIndex(part.Bytes, value => value > 126 || (value < 32 && value != (byte)'\n'));
        if (at >= 0)
        {
            var line = part.Bytes.Take(at).Count(value => value == (byte)'\n') + 1;
            yield return new Finding(part.File, line, "ascii", $"byte 0x{part.Bytes[at]:x2}");
        }
    }

    private static IEnumerable<Finding> Errors(Part part) =>
        part.Errors.Select(error => part.Finding(error.Extent, "parse", error.Message));

    private static IEnumerable<Finding> Tokens(Part part)
    {
        foreach (var token in part.Tokens)
        {
            if (NewTokens.TryGetValue(token.Kind, out var sign))
            {
                yield return part.Finding(token.Extent, "syntax", $"{sign} is newer than 5.1");
            }
            if (token.Kind == TokenKind.Clean)
            {
                yield return part.Finding(token.Extent, "syntax", "clean {} is newer than 5.1");
            }
            if (token is NumberToken && NewSuffix().IsMatch(token.Text))
            {
                yield return part.Finding(token.Extent, "syntax", $"{token.Text}: 5.1 has the suffixes d, l and kb to pb only");
            }
            if (token is StringExpandableToken && NewEscape().IsMatch(token.Text))
            {
                yield return part.Finding(token.Extent, "syntax", "`u{} and `e are newer than 5.1");
            }
        }
    }

    private static IEnumerable<Finding> Trees(Part part)
    {
        foreach (var pipeline in part.All<PipelineBaseAst>().Where(pipeline => pipeline is PipelineAst { Background: true } or PipelineChainAst { Background: true }))
        {
            yield return part.Finding(pipeline.Extent, "syntax", "a trailing & is newer than 5.1");
        }
        foreach (var statement in part.All<UsingStatementAst>())
        {
            yield return part.Finding(statement.Extent, "syntax", "using statements do not work in text that is evaluated");
        }
        foreach (var type in part.All<TypeDefinitionAst>())
        {
            yield return part.Finding(type.Extent, "syntax", "classes cannot be relied on in text that is evaluated");
        }
        foreach (var parameter in part.All<CommandParameterAst>().Where(parameter => parameter.ParameterName.Equals("Parallel", StringComparison.OrdinalIgnoreCase)))
        {
            yield return part.Finding(parameter.Extent, "syntax", "-Parallel is newer than 5.1");
        }
    }

    private static IEnumerable<Finding> Paths(Part part)
    {
        foreach (var text in part.All<StringConstantExpressionAst>().Where(text => Drive().IsMatch(text.Value)))
        {
            yield return part.Finding(text.Extent, "path", $"{text.Value} names a drive");
        }
        foreach (var call in part.All<InvokeMemberExpressionAst>().Where(IsCombineWithDrive))
        {
            yield return part.Finding(call.Extent, "path", "Path.Combine of a bare drive gives C:x, which is relative");
        }
    }

    private static bool IsCombineWithDrive(InvokeMemberExpressionAst call) =>
        call.Static
        && call.Member is StringConstantExpressionAst { Value: "Combine" }
        && call.Arguments?.FirstOrDefault()?.Extent.Text.Contains("SystemDrive", StringComparison.OrdinalIgnoreCase) == true;

    [GeneratedRegex(@"^(?:0b|.*[0-9a-f](?:u|ul|us|uy|y|s|n)$)", RegexOptions.IgnoreCase)]
    private static partial Regex NewSuffix();

    [GeneratedRegex(@"(?<!`)(?:``)*`(?:u\{|e)")]
    private static partial Regex NewEscape();

    [GeneratedRegex(@"^[A-Za-z]:[\\/]")]
    private static partial Regex Drive();
}
