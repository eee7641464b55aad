"""Jupyter's own conformance suite. Samples for everything that Tide has: a test that is skipped fails the run."""

# The classes are not imported by name, or they would be collected as tests of another kernel.
import jupyter_kernel_test as suite

TABLE = 't = rows [ {a: 1, b: "x"} ]'


class TestConformance(suite.KernelTests):
    kernel_name = "tide"
    language_name = "tide"
    file_extension = ".tide"

    code_hello_world = "%echo hello, world"
    code_stderr = "%echo -e hello, world"
    completion_samples = [
        {"text": "%tab", "matches": {"tables"}},
        {"text": "%ta", "matches": {"tables"}},
        {"text": "%help left jo", "matches": {"left join"}},
        {"text": "%help D0101", "matches": {"D0101"}},
        {"text": "exp", "matches": {"expect", "%explain"}},
        {"text": TABLE + "\nt | whe", "matches": {"where"}},
        {"text": TABLE + "\nt | sumarize", "matches": {"summarize"}},
        {"text": TABLE + "\nt | derive long_name: b | select lon", "matches": {"long_name"}},
        {"text": TABLE + "\nt | derive long_name: b | select name", "matches": {"long_name"}},
        {"text": TABLE + "\nt | join t as other on t.a == other.", "matches": {"a", "b"}},
        {"text": "t = read demo.ti", "matches": {"ticks"}},
        {"text": "t = read demo.ticks(ra", "matches": {"rate: "}},
        {"text": "t = read csv(header: tr", "matches": {"true"}},
        {"text": "param since: dat", "matches": {"date"}},
        {"text": "set worke", "matches": {"workers"}},
        {"text": "t = rows [ {a: \"not he", "matches": set()},
        {"text": "# not he", "matches": set()},
    ]
    complete_code_samples = [TABLE, "%tables", TABLE + "\nt | where a > 1"]
    incomplete_code_samples = ["t = rows [ {a: 1},", "t |", 't = read csv("a.csv"']
    invalid_code_samples = ["t = = 1", "t = rows ]"]
    code_page_something = "%help"
    code_generate_error = "t = nobody | where a > 1"
    code_execute_result = [
        {"code": "%eval 1 + 2 * 3", "result": "7"},
        {"code": '%eval f"{6 * 7} is it"', "result": "42 is it"},
        {"code": "%eval 7 / 2", "result": "3"},
    ]
    code_display_data = [{"code": TABLE + "\nt", "mime": "text/html"}, {"code": TABLE + "\nt", "mime": "text/plain"}]
    code_history_pattern = "%eval 1 ?*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "sum"
    code_clear_output = "%clear"


class TestWelcome(suite.IopubWelcomeTests):
    kernel_name = "tide"
    support_iopub_welcome = True
