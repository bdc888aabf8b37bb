using Fettle.Checks;

// The files given are the parts of one script, in order. Ends with 1 when something was found, each on a line of its own.
var commands = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "commands-5.1.txt"))
    .Select(line => line.Split('#')[0].Trim())
    .Where(line => line.Length > 0)
    .Select(line => line.Split(' ')[0])
    .ToHashSet(StringComparer.OrdinalIgnoreCase);
using var framework = new Framework(Path.Combine(AppContext.BaseDirectory, "net462"));
var parts = args.Select(Part.Read).ToArray();
var findings = parts.SelectMany(SyntaxChecks.Of)
    .Concat(CommandChecks.Of(parts, commands))
    .Concat(VariableChecks.Of(parts))
    .Concat(parts.SelectMany(part => new TypeChecks(framework, part).Run()))
    .Distinct()
    .OrderBy(finding => Array.IndexOf(args, finding.File))
    .ThenBy(finding => finding.Line)
    .ToArray();
foreach (var finding in findings)
{
    Console.WriteLine($"{Path.GetFileName(finding.File)}:{finding.Line}: {finding.Rule}: {finding.Words}");
}
return findings.Length == 0 ? 0 : 1;
