"""The bench of malformed requests in the size of a run of the tests: nothing is answered with 5xx, nothing is lost, intake stands everything."""

from bench import malformed


def test_five_hundred_malformed_requests_break_nothing() -> None:
    found = {result.name.strip(): result for result in malformed.main(["--count", "500", "--seed", "7"])}
    assert found["answers of 5xx to 500 malformed requests"].value == 0
    assert found["events that intake could not stand"].reached


def test_the_generator_breaks_what_it_sends() -> None:
    made = list(malformed.requests(300, "wk_key", 7))
    assert made == list(malformed.requests(300, "wk_key", 7))
    assert len({request.data for request in made}) > 290
    assert any(request.end for request in made)
