// A plain admission webhook: the review and its pod decoded into the types of k8s.io/api, one annotation set.
// Usage: plain PORT CERT KEY
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	admission "k8s.io/api/admission/v1"
	core "k8s.io/api/core/v1"
)

func main() {
	port, cert, key := os.Args[1], os.Args[2], os.Args[3]
	http.HandleFunc("POST /mutate", mutate)
	log.Fatal(http.ListenAndServeTLS("127.0.0.1:"+port, cert, key, nil))
}

func mutate(writer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(writer, request.Body, 7<<20))
	if err != nil {
		http.Error(writer, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	var review admission.AdmissionReview
	var pod core.Pod
	if err := json.Unmarshal(body, &review); err != nil || review.Request == nil {
		http.Error(writer, fmt.Sprint("not a review: ", err), http.StatusBadRequest)
		return
	}
	if err := json.Unmarshal(review.Request.Object.Raw, &pod); err != nil {
		http.Error(writer, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := json.Marshal(answerOf(&review, &pod))
	if err != nil {
		http.Error(writer, err.Error(), http.StatusInternalServerError)
		return
	}
	writer.Header().Set("Content-Type", "application/json")
	_, _ = writer.Write(answer)
}

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

func answerOf(review *admission.AdmissionReview, pod *core.Pod) *admission.AdmissionReview {
	limit := operation{"add", "/metadata/annotations/iops-limit~1read-iops", "500"}
	if pod.Annotations == nil {
		limit = operation{"add", "/metadata/annotations", map[string]string{"iops-limit/read-iops": "500"}}
	}
	patch, _ := json.Marshal([]operation{limit})
	kind := admission.PatchTypeJSONPatch
	return &admission.AdmissionReview{
		TypeMeta: review.TypeMeta,
		Response: &admission.AdmissionResponse{
			UID: review.Request.UID, Allowed: true, Patch: patch, PatchType: &kind,
		},
	}
}
