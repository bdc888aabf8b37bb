using System.Text;

namespace Fettle.Engine;

/// <summary>The parameters of powershell.exe that the tests use; names may be abbreviated, as on Windows.</summary>
internal sealed record CommandLine(string Script, IReadOnlyList<string> Arguments, bool IsEncoded, bool IsFile)
{
    private static readonly string[] Switches = ["noprofile", "noninteractive", "nologo", "noexit", "sta", "mta"];
    private static readonly string[] Valued = ["executionpolicy", "inputformat", "outputformat", "windowstyle", "version"];

    /// <exception cref="ArgumentException">The words powershell.exe would refuse; it then exits with 0xFFFD0000.</exception>
    public static CommandLine Parse(IReadOnlyList<string> args)
    {
        for (var index = 0; index < args.Count; index++)
        {
            var word = args[index];
            if (word.Length < 2 || (word[0] != '-' && word[0] != '/'))
            {
                return new CommandLine(string.Join(' ', args.Skip(index)), [], false, false);
            }
            var name = word[1..].ToLowerInvariant();
            if (Switches.Any(known => known.StartsWith(name, StringComparison.Ordinal)))
            {
                continue;
            }
            if ("encodedcommand".StartsWith(name, StringComparison.Ordinal) || name == "ec")
            {
                return new CommandLine(Decode(Next(args, index)), [], true, false);
            }
            if ("file".StartsWith(name, StringComparison.Ordinal))
            {
                return new CommandLine(Next(args, index), args.Skip(index + 2).ToArray(), false, true);
            }
            if ("command".StartsWith(name, StringComparison.Ordinal))
            {
                return new CommandLine(string.Join(' ', args.Skip(index + 1)), [], false, false);
            }
            if (Valued.Any(known => known.StartsWith(name, StringComparison.Ordinal)) || name == "ep" || name == "ex")
            {
                Next(args, index++);
                continue;
            }
            throw new ArgumentException($"unknown parameter {word}");
        }
        return new CommandLine("", [], false, false);
    }

    private static string Next(IReadOnlyList<string> args, int index) =>
        index + 1 < args.Count ? args[index + 1] : throw new ArgumentException($"{args[index]} has no value");

    private static string Decode(string base64)
    {
        try
        {
            return Encoding.Unicode.GetString(Convert.FromBase64String(base64));
        }
        catch (FormatException)
        {
            throw new ArgumentException("the encoded command is not base64");
        }
    }
}
