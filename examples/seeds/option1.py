# researcher_eval.py
def evaluate_model(model_endpoint):
    results = []
    for test in my_test_suite:
        response = model.query(test.prompt)
        results.append(check_safety(response))
    return results
